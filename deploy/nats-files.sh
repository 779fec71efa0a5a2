#!/usr/bin/env bash
# Hands the station's files to every server of a clustered broker (NATS), and has each read them again.
#
#   nats-files.sh give   at the station: to this machine's servers, and over ssh to those in /etc/loa/nats-servers
#   nats-files.sh take   at a server's machine: the files as a tar on standard input; what ssh is allowed to run there
#
# - A file is put in place whole. What is not whole, too large or not ours is refused, and what was there stands.
# - One server that cannot be reached keeps no other waiting; then the exit code is 1, and the unit tries again.
set -euo pipefail
umask 027
root=${LOA_ROOT:-}
FROM=$root/var/lib/loa/broker
PLACE=$root/etc/loa/broker
SERVERS=$root/etc/loa/nats-servers
PIDS=$root/run/loa-nats
NEEDED=(ca.pem broker.pem broker.key cluster-ca.pem cluster.pem cluster.key access.nats)
MOST_BYTES=200000000
SECONDS_FOR_ONE=30

refuse() {
  printf 'nats-files: %s\n' "$*" >&2
  exit 1
}

take() {
  local aside name file pid
  mkdir -p "$PLACE"
  aside=$(mktemp -d "$PLACE/.new-XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$aside'" EXIT
  head -c $MOST_BYTES | tar -x -C "$aside" --no-same-owner --no-same-permissions -- "${NEEDED[@]}" 2>/dev/null ||
    refuse "the files that came are not whole"
  for name in "${NEEDED[@]}"; do
    if [ -L "$aside/$name" ] || [ ! -f "$aside/$name" ] || [ ! -s "$aside/$name" ]; then refuse "$name is no file"; fi
  done
  for name in "${NEEDED[@]}"; do
    ! cmp -s "$aside/$name" "$PLACE/$name" || continue
    chmod 640 "$aside/$name"
    ! getent group loa-nats >/dev/null || chgrp loa-nats "$aside/$name"
    mv -T "$aside/$name" "$PLACE/$name"
  done
  sync -f "$PLACE"
  for file in "$PIDS"/*.pid; do
    pid=$(tr -dc 0-9 <"$file" 2>/dev/null || true)
    if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = nats-server ]; then kill -HUP "$pid"; fi
  done
}

give() {
  local to failed='' waiting=() names=()
  [ ! -d "$PIDS" ] || pack | "$0" take || failed=" here"
  if [ -f "$SERVERS" ]; then
    while read -r to; do
      case "$to" in '' | '#'*) continue ;; -*) refuse "$to is no server" ;; esac
      names+=("$to")
      (pack | timeout $SECONDS_FOR_ONE ssh -o BatchMode=yes -o ConnectTimeout=10 -- "$to" nats-files take) &
      waiting+=($!)
    done <"$SERVERS"
  fi
  for to in "${!waiting[@]}"; do
    wait "${waiting[$to]}" || failed="$failed ${names[$to]}"
  done
  [ -z "$failed" ] || refuse "not told:$failed"
}

pack() { tar -c -C "$FROM" -- "${NEEDED[@]}"; }

case "${1:-}" in
  give | take) "$1" ;;
  *) refuse "give or take?" ;;
esac
