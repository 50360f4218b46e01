package accounts

import "strings"

// common are the words that passwords are made of most often. A password that
// is one of them after core is refused, so that each stands for many.
var common = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(commonWords) {
		words[core(w)] = true
		words[w] = true
	}
	return words
}()

const commonWords = `
password passwd passwort passw0rd pass pwd motdepasse contrasena contraseña wachtwoord senha parola haslo heslo salasana geheim
qwerty qwertz azerty qwertyuiop qwertzuiop asdfgh asdfghjkl asdf zxcvbn zxcvbnm yxcvbnm qazwsx qazwsxedc wsxedc qweasd qweasdzxc qwer qwe zaqwsx
letmein welcome willkommen bienvenue hello hallo changeme change changeit default secret secrets topsecret login logmein access enter open opensesame
admin administrator root toor sysadmin system superuser user guest test tester testing testtest temp temporary demo example sample master manager
server database backup oracle mysql postgres postgresql mongo redis docker kubernetes jenkins ansible vagrant raspberry ubuntu debian linux windows
coder berth developer dev devops workspace company corporate office internet computer laptop samsung google facebook microsoft apple android iphone
iloveyou loveyou ilove lovely love loveme lover princess prince sunshine monkey dragon football soccer baseball basketball hockey superman batman spiderman
pokemon naruto starwars matrix trustno trustnoone shadow master michael jennifer jordan hunter ranger harley buster thomas tigger robert daniel andrew
charlie jessica michelle joshua ashley amanda nicole matthew anthony william samantha george alexander patrick martin david chris christian jonathan
summer winter spring autumn monday friday sunday january february march april june july august september october november december
whatever freedom mustang maggie ginger pepper cookie chocolate banana orange purple yellow silver golden diamond cheese killer hacker ninja
flower butterfly rainbow angel angels heaven jesus blessed family mother father daddy babygirl baby sweet sweetie honey bailey lucky happy smile
liverpool chelsea arsenal barcelona madrid juventus bayern united london paris berlin america canada mexico brasil argentina germany france
abcdef abcabc abcd abc aaa aaaaaa blahblah foobar foobarbaz nothing asdasd asdasdasd qweqwe zxczxc qwaszx zaq loki corvette mercedes porsche ferrari
computer security private secure safety internet network wireless router modem support helpdesk service services production staging
passphrase mypassword mypass yourpassword thepassword newpassword oldpassword passwordpassword adminadmin rootroot
welcomehome welcometo letmeinnow iamgod godisgood jesuschrist ihateyou fuckyou fuckoff asshole bullshit pussy
`
