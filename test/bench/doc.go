// Package bench measures what people wait for, each beside a reference in the
// same run, and prints rows. It is built with the tag bench and run by `make
// bench`; it judges nothing, since the machine under it is noisy.
package bench
