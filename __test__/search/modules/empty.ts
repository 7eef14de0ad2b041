// A module without build.
export const built = 1
