#!/usr/bin/env bash
# Makes a Debian machine a station of Loa in one command, with its broker and https; `--help` says how.
#
# - Out of a source folder with internet, or out of a bundle (`./run wheelhouse --station`) without.
# - Looks before it changes; run it again after a power cut, or with a newer source.
# - Keys and settings that stand are never touched. The program goes into the slot that is not in use.
set -euo pipefail
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/installing.sh
source "$here/installing.sh"

STATE=/var/lib/loa
SETTINGS=/etc/loa/controller.toml
PROGRAM=$LOA/venv
EXTRAS=$LOA/station-extras
USER_NAME=loa
PACKAGES=(bubblewrap ca-certificates espeak-ng ffmpeg mosquitto python3 python3-venv)
UNITS=(loa-broker-files.service loa-broker-files.path loa-broker.service loa-controller.service)
BROKER_FILES=(ca.pem broker.pem broker.key revoked.pem access)
LEAST_MEMORY_MB=700
SPACE_MB=1000

usage() {
  cat <<'END'
sudo ./install-station.sh [--name "Đài …"] [--host NAME]… [--admin NAME]

  --name TEXT      tên đài / the station's name
  --host NAME      tên hoặc địa chỉ mà mọi người và cụm loa gọi máy này, viết được nhiều lần; không có: các địa chỉ của máy
                   / a name or address by which people and nodes call this machine, may be repeated; without: its addresses
  --admin NAME     tên đăng nhập của người quản trị đầu tiên (mặc định / default: quan-tri)
  --http PORT, --https PORT   80, 443
  --certificate FILE --key FILE   chứng thư có sẵn, thay cho chứng thư tự cấp / a real certificate instead of our own
  --voices NAMES   giọng đọc thêm: neural, kokoro / more voices
  --bundle FILE    cài từ tệp này, không cần internet / install from this file, without internet
  --no-start       chỉ cài, không chạy / install only, start nothing
  --uninstall      gỡ; dữ liệu, khóa và thiết lập còn nguyên / take it away; state, keys and settings stay
END
}

UNFINISHED=()
LINK=''

name='' admin=quan-tri http=80 https=443 certificate='' key='' voices='' bundle='' start=yes uninstall=''
hosts=()
read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --name | --admin | --http | --https | --certificate | --key | --voices | --bundle)
        case "${2:-}" in '' | -*) not_understood ;; esac
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --host)
        case "${2:-}" in '' | -*) not_understood ;; esac
        hosts+=("$2")
        shift
        ;;
      --no-start) start='' ;;
      --uninstall) uninstall=yes ;;
      --help | -h) usage && exit 0 ;;
      *) not_understood ;;
    esac
    shift
  done
  [ -z "$certificate" ] || [ -n "$key" ] || not_understood
  [ -z "$key" ] || [ -n "$certificate" ] || not_understood
  [[ "$http$https" =~ ^[0-9]{2,10}$ && "$name" != *[\"\\]* && "$admin" =~ ^[a-z0-9][a-z0-9.-]*$ ]] || not_understood
  [[ ",$voices," =~ ^(,(neural|kokoro))*,+$ ]] || not_understood
  local host
  for host in "${hosts[@]}"; do [[ "$host" =~ ^[A-Za-z0-9.:-]+$ ]] || not_understood; done
}

not_understood() {
  usage >&2
  exit 2
}

# --- steps ----------------------------------------------------------------------------------------------------

packages() {
  step "1/7 Gói của hệ điều hành" "Packages of the system"
  local debs='' fresh
  [ -z "$from" ] || ! compgen -G "$from/debs/*.deb" >/dev/null || debs=$from/debs
  fresh=$(missing_packages mosquitto)
  need_packages "$debs" "${PACKAGES[@]}"
  # Debian starts a broker of its own that asks nobody for anything; one that stood here before is not ours to stop
  if [ -n "$fresh" ] && systemd_runs; then quietly systemctl disable --now mosquitto.service || true; fi
}

user_and_folders() {
  step "2/7 Tài khoản và thư mục" "User and folders"
  need_user $USER_NAME $STATE
  folder $STATE 700 $USER_NAME:$USER_NAME
  folder /etc/loa 755 root:root
  folder $LOA 755 root:root
}

program() {
  step "3/7 Chương trình" "Program"
  local slot=station-a extras=controller wanted
  wanted=$(printf '%s\n' "${voices//,/ }" "$(cat $EXTRAS 2>/dev/null || true)" | tr -s ' ' '\n' | sed '/^$/d' | sort -u)
  [ -z "$wanted" ] || extras=controller,$(paste -sd, <<<"$wanted")
  identity="$identity $extras"
  if [ "$(readlink $PROGRAM || true)" = station-a ]; then slot=station-b; fi
  if [ "$(cat $PROGRAM/complete 2>/dev/null || true)" = "$identity" ]; then
    say "   Đã có." "Already there."
  elif newer_stands $PROGRAM; then
    say "   Đã có bản mới hơn; giữ nguyên." "A newer one is there and stays."
  else
    # one that was laid by hand is left where it is
    [ -L $PROGRAM ] || [ ! -e $PROGRAM ] || mv -T $PROGRAM "$PROGRAM.before"
    build $LOA/$slot "$extras" "import alembic, argon2, cryptography, flask, psycopg, sqlalchemy, waitress, controller.bootstrap"
    lead $PROGRAM $slot
  fi
  [ -z "$wanted" ] || lay $EXTRAS 644 root:root <<<"$wanted"
  [ -e /usr/local/bin/loa ] || lead /usr/local/bin/loa $PROGRAM/bin/loa
  # what a person at the station types: the verbs, as the station's user, with its settings
  lay /usr/local/bin/loa-station 755 root:root <<END
#!/bin/sh
cd / && exec runuser -u $USER_NAME -- env LANG="\${LANG:-C.UTF-8}" HOME=$STATE LOA_CONFIG=$SETTINGS $PROGRAM/bin/loa "\$@"
END
}

settings() {
  step "4/7 Thiết lập" "Settings"
  if [ -f $SETTINGS ]; then
    say "   $SETTINGS đã có; giữ nguyên." "$SETTINGS is there and stays."
    return
  fi
  [ ${#hosts[@]} -gt 0 ] || read -ra hosts < <(hostname -I 2>/dev/null || true)
  [ ${#hosts[@]} -gt 0 ] || refuse "Máy chưa có địa chỉ mạng: thêm --host." "This machine has no address: add --host."
  local first=${hosts[0]} listed
  [[ $first != *:* ]] || first="[$first]"
  listed=$(printf ', "%s"' "${hosts[@]}")
  {
    sed -e "s|^station_name = .*|station_name = \"${name:-Đài truyền thanh}\"|" \
      -e "s|^web_port = .*|web_port = $http|" \
      -e "s|^media_url = .*|media_url = \"http://$first$([ "$http" = 80 ] || printf ':%s' "$http")/audio\"|" \
      -e '/^# https$/,$d' "$here/controller.toml"
    printf '# https\nweb_tls_port = %s\nweb_names = [%s]\n' "$https" "${listed#, }"
    [ -z "$certificate" ] || printf 'web_certificate = "/etc/loa/web/fullchain.pem"\nweb_key = "/etc/loa/web/privkey.pem"\n'
    sed -n '/^# relays$/,$p' "$here/controller.toml"
  } | lay $SETTINGS 640 root:$USER_NAME
}

# A certificate that others signed is copied to where the station may read it, now and whenever certbot renewed it.
real_certificate() {
  [ -n "$certificate" ] || return 0
  folder /etc/loa/web 750 root:$USER_NAME
  lay /etc/loa/web/privkey.pem 640 root:$USER_NAME <"$key"
  lay /etc/loa/web/fullchain.pem 644 root:root <"$certificate"
  case "$certificate" in
    /etc/letsencrypt/live/*)
      lay /etc/letsencrypt/renewal-hooks/deploy/loa 755 root:root <<END
#!/bin/sh
# Laid by Loa's installer: the station reads these again by itself.
set -e
install -m 640 -o root -g $USER_NAME '$key' /etc/loa/web/privkey.pem
install -m 644 '$certificate' /etc/loa/web/fullchain.pem
END
      ;;
  esac
}

keys() {
  step "5/7 Khóa và chứng thư" "Keys and certificates"
  real_certificate
  station migrate >/dev/null
  if [ ! -s $STATE/keys/station.key ]; then
    station key init >/dev/null
    changed "$STATE/keys"
  fi
  if [ ! -s $STATE/broker/broker.pem ]; then
    [ ${#hosts[@]} -gt 0 ] || read -ra hosts < <(hostname -I 2>/dev/null || true)
    station key certify "${hosts[@]}" 127.0.0.1 >/dev/null
    changed "$STATE/broker"
  fi
  local file
  folder /etc/loa/broker 750 root:mosquitto
  for file in "${BROKER_FILES[@]}"; do
    # one that is locked comes to the broker by way of the running station
    [ "$(head -c 9 "$STATE/broker/$file" 2>/dev/null | tr -d '\0')" != '{"nonce":' ] || continue
    [ ! -f "$STATE/broker/$file" ] || lay "/etc/loa/broker/$file" 640 root:mosquitto <"$STATE/broker/$file"
  done
  if [ -z "$certificate" ]; then station web certificate || UNFINISHED+=(web_names); fi
}

first_administrator() {
  local people
  people=$(station user list --json)
  [ "$(tr -d '[:space:]' <<<"$people")" = '[]' ] || return 0
  LINK=$(station user add "$admin" --json | sed -n 's/^ *"link": "\(.*\)"$/\1/p')
  changed "$admin"
}

station() { /usr/local/bin/loa-station "$@"; }

system_files() {
  step "6/7 Dịch vụ" "Units"
  local unit paper=$here/operations.md
  [ -f "$paper" ] || paper=$here/../docs/operations.md
  lay $LOA/operations.md 644 root:root <"$paper"
  lay $LOA/give-broker-files.sh 755 root:root <"$here/give-broker-files.sh"
  [ -f /etc/loa/mosquitto.conf ] || lay /etc/loa/mosquitto.conf 640 root:mosquitto <"$here/mosquitto.conf"
  for unit in "${UNITS[@]}"; do lay "/etc/systemd/system/$unit" 644 root:root <"$here/$unit"; done
}

run_it() {
  step "7/7 Chạy" "Run"
  local unit
  for unit in "${UNITS[@]}"; do ! grep -q '^WantedBy=' "/etc/systemd/system/$unit" || enable_unit "$unit"; done
  if [ -z "$start" ] || ! systemd_runs; then
    say "   Không khởi động (không có systemd đang chạy, hoặc --no-start); đài chạy khi máy khởi động." \
      "Nothing is started (no systemd runs, or --no-start); the station starts with the machine."
    return
  fi
  [ $CHANGES = 0 ] || quietly systemctl daemon-reload
  quietly systemctl start loa-broker-files.path || UNFINISHED+=(loa-broker-files)
  for unit in loa-broker loa-controller; do
    if [ $CHANGES = 0 ] && systemctl -q is-active $unit; then continue; fi
    quietly systemctl restart $unit || UNFINISHED+=("$unit")
  done
  answers || UNFINISHED+=(loa-controller)
}

# Whether the station answers within a minute.
answers() {
  local port
  port=$(sed -n 's/^web_port = \([0-9]*\).*/\1/p' $SETTINGS)
  timeout 60 $PROGRAM/bin/python -c '
import sys, time, urllib.request
while True:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/suc-khoe", timeout=5)
        break
    except OSError:
        time.sleep(1)' "${port:-8080}"
}

take_away() {
  step "Gỡ cài đặt" "Uninstalling"
  local unit
  for unit in "${UNITS[@]}"; do
    [ -f "/etc/systemd/system/$unit" ] || continue
    ! systemd_runs || quietly systemctl disable --now "$unit" || true
    remove /etc/systemd/system/*.wants/"$unit" "/etc/systemd/system/$unit"
  done
  remove $PROGRAM $LOA/station-a $LOA/station-b $EXTRAS $LOA/operations.md $LOA/give-broker-files.sh $LOA/unpacked $LOA/debs $LOA/tmp \
    /usr/local/bin/loa-station /etc/letsencrypt/renewal-hooks/deploy/loa
  [ ! -L /usr/local/bin/loa ] || [ -e /usr/local/bin/loa ] || remove /usr/local/bin/loa
  say "   Còn giữ: $STATE, /etc/loa" "Kept: $STATE, /etc/loa"
  rmdir --ignore-fail-on-non-empty $LOA 2>/dev/null || true
  ! systemd_runs || quietly systemctl daemon-reload
}

main() {
  read_arguments "$@"
  if [ -n "$uninstall" ]; then
    [ "$(id -u)" = 0 ] || refuse "Cần quyền root." "Root is needed."
    take_away
    return
  fi
  look_at_system $LEAST_MEMORY_MB $SPACE_MB
  for file in "$certificate" "$key"; do
    [ -z "$file" ] || [ -r "$file" ] || refuse "Không đọc được $file" "$file cannot be read"
  done
  mkdir -p /run
  exec 9>/run/loa-install.lock
  flock -n 9 || refuse "Một lần cài khác đang chạy." "Another installation is running."
  trap 'stopped $?' EXIT
  open_bundle controller
  packages
  user_and_folders
  program
  rm -rf $LOA/unpacked $LOA/debs
  settings
  keys
  first_administrator
  system_files
  run_it
  finish
}

# 2: not understood; 3: refused with a sentence; 4: something is left to do.
stopped() {
  case "$1" in 0 | 2 | 3 | 4) return ;; esac
  say "Dừng giữa chừng. Chạy lại đúng lệnh này để làm tiếp. Nhật ký: $LOG" \
    "Stopped half way. Run the same command again to go on. Log: $LOG" >&2
}

finish() {
  printf '\n'
  [ $CHANGES != 0 ] || say "Không có gì phải đổi." "Nothing had to change."
  if [ -n "$LINK" ]; then
    say "Người quản trị đầu tiên ($admin) mở đường dẫn này trong 48 giờ, một lần:" "The first administrator ($admin) opens this link, once, within 48 hours:"
    printf '   %s\n' "$LINK"
    say "   Mất thì: sudo loa-station user link $admin" "Lost? sudo loa-station user link $admin"
  fi
  [ ! -f $STATE/keys/root.key ] ||
    say "Hãy chép $STATE/keys/root.key ra USB, cất nơi an toàn, rồi xóa khỏi máy." "Move $STATE/keys/root.key to a stick, lock it away, and delete it here."
  [ ${#UNFINISHED[@]} = 0 ] || {
    say "Đã cài xong, nhưng còn việc (xem ở trên): ${UNFINISHED[*]}" "Installed, but something is left to do (see above): ${UNFINISHED[*]}"
    exit 4
  }
  say "Xong." "Done."
}

main "$@"
