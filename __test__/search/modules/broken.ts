// A module that does not load.
throw new TypeError('this module is broken')
