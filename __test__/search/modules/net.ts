// What worker threads build: the network of the other specs.
export { build } from '../../helpers/search.js'
