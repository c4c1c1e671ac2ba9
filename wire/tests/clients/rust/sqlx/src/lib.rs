//! Nothing: without its feature this package builds what the program depends on, before there is a server to describe its queries.
