# Starts a Docker engine of our own where there is none, for the tests; to be
# sourced. It keeps to a directory of its own and is stopped by its process id.

start_dockerd() {
	dockerd_dir=$(mktemp -d /tmp/berth-dockerd.XXXXXX)
	echo "==> starting a container engine"
	dockerd --data-root "$dockerd_dir/data" --exec-root "$dockerd_dir/exec" --pidfile "$dockerd_dir/pid" \
		>"$dockerd_dir/log" 2>&1 &
	dockerd_pid=$!
	for _ in $(seq 1 150); do
		if docker version >/dev/null 2>&1; then
			return 0
		fi
		kill -0 "$dockerd_pid" 2>/dev/null || break
		sleep 0.2
	done
	echo "==> no container engine on this machine; the tests that need one will be skipped. Its last words:"
	tail -n 5 "$dockerd_dir/log"
	stop_dockerd
	return 1
}

stop_dockerd() {
	kill -TERM "$dockerd_pid" 2>/dev/null || true
	wait "$dockerd_pid" 2>/dev/null || true
	rm -rf "$dockerd_dir" 2>/dev/null || true
}
