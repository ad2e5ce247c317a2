//! The facts of the whole program, through its router and its command line.
