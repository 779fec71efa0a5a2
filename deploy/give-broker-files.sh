#!/bin/sh
# Hands the station's files for the broker to the broker. Run by loa-broker-files.service, as root.
# A broker's key that the station keeps locked is handed on in memory only: the station puts it into its runtime folder
# when it has opened it, and the broker finds a link.
set -eu
from=${LOA_BROKER_FROM:-/var/lib/loa/broker}
to=${LOA_BROKER_TO:-/etc/loa/broker}
opened=${LOA_RUNTIME:-/run/loa}/broker.key
memory=${LOA_BROKER_MEMORY:-/run/loa-broker}
group=${LOA_BROKER_GROUP:-mosquitto}

install -d -o root -g "$group" -m 750 "$to"
cd "$from"
install -o root -g "$group" -m 640 ca.pem broker.pem revoked.pem access "$to/"
if ! head -c 9 broker.key | grep -q '{"nonce":'; then
  if [ -L "$to/broker.key" ]; then rm -f "$to/broker.key"; fi
  install -o root -g "$group" -m 640 broker.key "$to/"
  rm -rf "$memory"
elif [ -f "$opened" ]; then
  install -d -o root -g "$group" -m 750 "$memory"
  install -o root -g "$group" -m 640 "$opened" "$memory/broker.key"
  ln -sfn "$memory/broker.key" "$to/broker.key"
else
  echo "broker.key is locked, and no station has opened it yet" >&2
fi
