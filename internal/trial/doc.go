// Package trial tries templates out before anybody has them: it checks their
// files and plans, and lets a workspace live a whole life.
//
// Plans and lives happen in a private server of this process, with a data
// directory that goes when it ends; nothing is sent anywhere. What the template
// makes is real.
package trial
