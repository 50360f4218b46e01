// Package simulations lives through long times in seconds: the real use cases on
// a real database, in a bubble where the clock is the test's, among people,
// agents and runners that are made up. What may never happen is checked apart
// from the code that decides, by what the test itself knows of the world.
package simulations
