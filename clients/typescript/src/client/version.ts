/** The version of this package, which it says of itself in `User-Agent`. */
export const VERSION = "0.1.0";
