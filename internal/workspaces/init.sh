#!/bin/sh
# Starts the agent of a Berth workspace: downloads it from the server and
# becomes it. Runs in any POSIX shell with curl, wget or busybox. The Terraform
# plugin fills in the address of the server and how the agent proves who it is;
# CODER_AGENT_TOKEN comes from the template.
#
# Templates hand this text to shells between single quotes: it must hold none.
set -u

url="${ACCESS_URL}bin/@BINARY@"
name="@BINARY@"

say() { echo "berth: $*" >&2; }

# The first directory where a program can be written and run.
find_dir() {
	[ -z "${BERTH_AGENT_BIN_DIR:-}" ] || mkdir -p "$BERTH_AGENT_BIN_DIR" 2>/dev/null
	for place in "${BERTH_AGENT_BIN_DIR:-}" "${TMPDIR:-}" /tmp /var/tmp "${XDG_CACHE_HOME:-}" "${HOME:-}" /dev/shm /run "$(pwd)"; do
		[ -n "$place" ] && [ -d "$place" ] && [ -w "$place" ] || continue
		# A directory of our own: in a shared one, somebody else could put
		# another program into our place. One of an earlier run is replaced.
		dir="$place/.berth-agent.$(id -u 2>/dev/null || echo 0).$$"
		rm -rf "$dir" 2>/dev/null
		(umask 077 && mkdir "$dir") 2>/dev/null || continue
		if (printf "#!/bin/sh\nexit 0\n" >"$dir/probe" && chmod 700 "$dir/probe" && "$dir/probe") 2>/dev/null; then
			rm -f "$dir/probe"
			echo "$dir"
			return 0
		fi
		rm -rf "$dir"
	done
	return 1
}

# The command that downloads $url to the file that is named behind it. It limits
# the time to connect and the time without a byte where the tool can, but not
# the whole time: networks are slow.
find_tool() {
	if command -v curl >/dev/null 2>&1; then
		echo "curl -fsSL --connect-timeout 10 --speed-time 30 --speed-limit 1 -o"
		return 0
	fi
	if command -v wget >/dev/null 2>&1; then
		tool="wget"
	elif command -v busybox >/dev/null 2>&1; then
		tool="busybox wget"
	else
		return 1
	fi
	help=$($tool --help 2>&1)
	case "$help" in *"applet not found"*) return 1 ;; esac
	case "$help" in *--tries*) tool="$tool --tries=1" ;; esac
	case "$help" in *-T*) tool="$tool -T 30" ;; esac
	echo "$tool -O"
}

wait_and() {
	say "$1; trying again in $wait s"
	sleep "$wait"
	wait=$((wait * 2))
	[ "$wait" -le 15 ] || wait=15
}

wait=1
until tool=$(find_tool); do
	wait_and "this computer has none of curl, wget and busybox wget, and needs one to download its agent: add one to the image"
done
until dir=$(find_dir); do
	wait_and "there is no directory where a program can be written and run: make /tmp writable without noexec, or set BERTH_AGENT_BIN_DIR"
done
trap "rm -rf \"$dir\"" EXIT
trap "exit 143" TERM
trap "exit 130" INT

wait=1
try=1
while :; do
	say "downloading the agent from $url with ${tool%% *} (try $try)"
	rm -f "$dir/part"
	# Renamed when it is complete and runs: what has the name of the agent is one.
	if problem=$($tool "$dir/part" "$url" 2>&1); then
		chmod 700 "$dir/part"
		if problem=$("$dir/part" version 2>&1); then
			mv -f "$dir/part" "$dir/$name" && break
		fi
		problem="what came does not run here: $problem"
	fi
	# The last line of what the tool said, without its progress bar.
	problem=$(echo "$problem" | tr "\r" "\n" | grep -v "^ *$" | tail -n 1)
	wait_and "no agent from $url (${problem:-no reason given})"
	try=$((try + 1))
done

export CODER_AGENT_AUTH="${AUTH_TYPE}"
export CODER_AGENT_URL="${ACCESS_URL}"
say "starting the agent, version $problem"
trap - EXIT TERM INT
exec "$dir/$name" agent
