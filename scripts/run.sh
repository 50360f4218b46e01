#!/usr/bin/env bash
# From nothing to a shell: starts a server with what bin/berth carries, makes the
# first user, a template and a workspace, runs a command in it over SSH, and
# serves until interrupted. A second run finds its data again.
#
#   scripts/run.sh [--exit]     --exit: end after the proof, with nothing left running
#
# Settings: BERTH_DATA (./.berth), BERTH_LISTEN (127.0.0.1:7080).
set -euo pipefail
cd "$(dirname "$0")/.."

leave=no
for arg in "$@"; do
	case $arg in
	--exit) leave=yes ;;
	*) echo "run: unknown argument $arg (there is --exit)" >&2; exit 2 ;;
	esac
done

data=${BERTH_DATA:-$PWD/.berth}
listen=${BERTH_LISTEN:-127.0.0.1:7080}
url=http://$listen
berth=$PWD/bin/berth
export BERTH_CONFIG_DIR=$data/cli
unset BERTH_URL BERTH_TOKEN
mkdir -p "$data"
chmod 711 "$data"

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
[ -t 1 ] || say() { printf '==> %s\n' "$*"; }

# As root, builds and process workspaces run as another user, who must be able
# to reach the work directory. A checkout in a closed home cannot offer that.
as=()
if [ "$(id -u)" = 0 ]; then
	dir=$data
	while [ "$dir" != / ]; do
		case $(stat -c %A "$dir") in
		*[xt]) ;;
		*)
			say "$dir is closed to other users, so builds run as root here; a real server should have its data elsewhere"
			as=(--build-user root)
			break ;;
		esac
		dir=$(dirname "$dir")
	done
fi

say "starting the server on $url, data in $data, log in $data/server.log"
"$berth" server --data "$data" --listen "$listen" "${as[@]}" >>"$data/server.log" 2>&1 &
server=$!
stop() {
	trap - EXIT INT TERM
	kill -TERM "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for _ in $(seq 1 300); do
	if curl -fsS "$url/healthz" >/dev/null 2>&1; then healthy=yes; break; fi
	if ! kill -0 "$server" 2>/dev/null; then
		echo "run: the server ended; the end of its log:" >&2
		tail -n 20 "$data/server.log" >&2
		exit 1
	fi
	sleep 0.1
done
if [ "${healthy:-no}" != yes ]; then
	echo "run: the server is not healthy after 30 s; the end of its log:" >&2
	tail -n 20 "$data/server.log" >&2
	exit 1
fi

if ! "$berth" whoami >/dev/null 2>&1; then
	if [ -s "$data/first-user" ]; then
		say "signing in again as admin"
		"$berth" login "$url" --username admin --password-stdin <"$data/first-user"
	else
		password=$(head -c 12 /dev/urandom | base64 | tr '+/' 'xy')
		say "making the first user: admin, password $password"
		(umask 077 && printf '%s\n' "$password" >"$data/first-user")
		"$berth" login "$url" --first-user-username admin --first-user-email admin@example.com --first-user-password "$password"
	fi
fi

if ! "$berth" templates show process >/dev/null 2>&1; then
	say "importing the starter template: process"
	"$berth" templates push process -d templates/process -m "starter" 
fi

status=$("$berth" list --json | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p' | head -n 1)
case $status in
"")
	say "creating the workspace: hello"
	"$berth" create hello -t process -y ;;
*)
	say "starting the workspace: hello (it was $status)"
	"$berth" start hello ;;
esac

"$berth" config-ssh -y --ssh-config-file "$data/ssh_config" >/dev/null
say "running a command in it over SSH"
command='echo "hello from $BERTH_WORKSPACE_NAME, a workspace of $BERTH_WORKSPACE_OWNER_NAME, in $PWD on $(uname -sm)"'
if command -v ssh >/dev/null; then
	ssh -F "$data/ssh_config" hello.berth "$command"
else
	"$berth" ssh hello -- sh -c "$command"
fi

if [ "$leave" = yes ]; then
	say "stopping the workspace and the server"
	"$berth" stop hello -y
	stop
	exit 0
fi

cat <<TEXT

Berth is up.
  dashboard     $url  (user admin, password in $data/first-user)
  command line  export BERTH_CONFIG_DIR=$BERTH_CONFIG_DIR PATH=$PWD/bin:\$PATH; berth --help
  a shell       ssh -F $data/ssh_config hello.berth
                or once: berth config-ssh, then from anywhere: ssh hello.berth

Ctrl-C stops the server; the workspace goes on and is found again.
TEXT
wait "$server"
