#!/usr/bin/env bash
# Makes a Raspberry Pi or Debian machine a node of Loa in one command; `--help` says how.
#
# - Out of a source folder with internet, or out of a bundle (`./run wheelhouse`) without.
# - Looks before it changes; run it again after a power cut, or with a newer bundle.
# - The program goes into the slot (/opt/loa/a, /opt/loa/b) that is not in use and counts only once it is whole.
set -euo pipefail
umask 022 # root's may be 077, and the node's user reads the program
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/installing.sh
source "$here/installing.sh"

STATE=/var/lib/loa-node
SETTINGS=/etc/loa/node.toml
DRAFT=$STATE/node.toml.draft
USER_NAME=loa-node
PACKAGES=(alsa-utils ca-certificates espeak-ng libportaudio2 python3 python3-venv)
RELAYS=(bubblewrap ffmpeg)
PINS=(gpiod)
GROUPS_OF_DEVICES=(audio video gpio)
LEAST_MEMORY_MB=350
SPACE_MB=500

usage() {
  cat <<'END'
sudo ./install-node.sh --station URL --code CODE [--player sound] [--bundle FILE]

  --station URL    địa chỉ trang web của đài / the station's web address
  --code CODE      mã ghi danh do đài cấp / the enrolment code that the station gave
  --player NAME    sound (mặc định / default), file, null
  --bundle FILE    cài từ tệp này, không cần internet / install from this file, without internet
  --settings FILE  thay cho --station, --code: tệp thiết lập có sẵn / instead of them: a settings file that is ready
  --no-relays      không cài ffmpeg (không tiếp sóng) / without ffmpeg: no relays
  --leave-system   không đổi watchdog và nhật ký của máy / leave the system's watchdog and journal alone
  --no-start       chỉ cài, không chạy (làm ảnh đĩa) / install only, start nothing (disk images)
  --uninstall      gỡ; dữ liệu và thiết lập còn nguyên / take it away; state and settings stay
  --purge          cùng --uninstall: xóa cả chúng / with --uninstall: those too
END
}

UNFINISHED=() # what a person must look at

station='' code='' player='' bundle='' settings='' relays=yes system=yes start=yes uninstall='' purge=''
read_arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --station | --code | --player | --bundle | --settings)
        case "${2:-}" in '' | -*) not_understood ;; esac
        printf -v "${1#--}" '%s' "$2"
        shift
        ;;
      --no-relays) relays='' ;;
      --leave-system) system='' ;;
      --no-start) start='' ;;
      --uninstall) uninstall=yes ;;
      --purge) purge=yes ;;
      --help | -h) usage && exit 0 ;;
      *) not_understood ;;
    esac
    shift
  done
  # a code and its station come together; --purge belongs to --uninstall
  [ -z "$code" ] || [ -n "$station" ] || not_understood
  [ -z "$station" ] || [ -n "$code" ] || not_understood
  [ -z "$purge" ] || [ -n "$uninstall" ] || not_understood
}

not_understood() {
  usage >&2
  exit 2
}

# --- steps ----------------------------------------------------------------------------------------------------

packages() {
  step "1/7 Gói của hệ điều hành" "Packages of the system"
  local debs=''
  [ -z "$from" ] || ! compgen -G "$from/debs/*.deb" >/dev/null || debs=$from/debs
  [ ! -e /dev/gpiochip0 ] || PACKAGES+=("${PINS[@]}")
  need_packages "$debs" "${PACKAGES[@]}"
  [ -n "$relays" ] && [ -n "$(missing_packages "${RELAYS[@]}")" ] || return 0
  if [ -n "$from" ] && ! compgen -G "$from/debs/ffmpeg_*.deb" >/dev/null; then
    say "   Gói không có ffmpeg: cụm loa này chưa tiếp sóng được." "No ffmpeg in the bundle: this node cannot relay yet."
  else
    need_packages "$debs" "${RELAYS[@]}"
  fi
}

user_and_folders() {
  step "2/7 Tài khoản và thư mục" "User and folders"
  need_user $USER_NAME $STATE "${GROUPS_OF_DEVICES[@]}"
  folder $STATE 700 $USER_NAME:$USER_NAME
  # a verb that was tried with sudo left files that the node cannot read
  if [ -n "$(find $STATE ! -user $USER_NAME -print -quit)" ]; then
    find $STATE ! -user $USER_NAME -exec chown -h $USER_NAME:$USER_NAME {} +
    changed "$STATE: $USER_NAME"
  fi
  folder /etc/loa 755 root:root # updates believe the root keys in it: only root may write there
  folder $LOA 755 root:root
}

program() {
  step "3/7 Chương trình" "Program"
  local slot=a
  folder $LOA/update 755 root:root
  exec 8>$LOA/update/lock # the node's own updates take it too
  flock -w 10 8 || refuse "Cụm loa đang tự cập nhật. Chờ vài phút rồi chạy lại." "The node is updating itself. Wait some minutes and run this again."
  if [ "$(readlink -f $LOA/current || true)" = $LOA/a ]; then slot=b; fi
  if [ "$(cat $LOA/current/complete 2>/dev/null || true)" = "$identity" ]; then
    say "   Đã có." "Already there."
  elif newer_stands $LOA/current; then
    say "   Đã có bản mới hơn; giữ nguyên." "A newer one is there and stays."
  else
    build $LOA/$slot node "import cryptography, msgspec, numpy, psutil, sounddevice, soundfile, edge_node.radio"
    lead $LOA/current $slot
    lead $LOA/steady $slot # what an update that fails goes back to
  fi
  [ -d $LOA/steady/bin ] || lead $LOA/steady "$(readlink $LOA/current)"
  lead /usr/local/bin/loa $LOA/current/bin/loa
  exec 8>&-
}

system_files() {
  step "4/7 Dịch vụ" "Units"
  local unit laid=$here
  [ ! -f "$from/loa-node.service" ] || laid=$from
  for unit in "$laid"/loa-node*.{service,timer,path,socket}; do
    [ ! -f "$unit" ] || lay "/etc/systemd/system/${unit##*/}" 644 root:root <"$unit"
  done
  if [ -f "$laid/installer.md" ]; then unit=$laid/installer.md; else unit=$laid/../docs/installer.md; fi
  lay $LOA/installer.md 644 root:root <"$unit"
  [ -z "$system" ] || lay_system_settings
  gpio
}

# Raspberry Pi OS gives its pins to a group of their own; plain Debian leaves them to root.
gpio() {
  [ -e /dev/gpiochip0 ] && ! getent group gpio >/dev/null || return 0
  groupadd --system gpio
  usermod -aG gpio $USER_NAME
  printf 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"\n' | lay /etc/udev/rules.d/60-loa-gpio.rules 644 root:root
  ! command -v udevadm >/dev/null || { udevadm control --reload && udevadm trigger --subsystem-match=gpio; } || true
}

enrol() {
  step "5/7 Ghi danh" "Enrolment"
  if [ -n "$settings" ]; then
    lay $SETTINGS 640 root:$USER_NAME <"$settings"
  elif [ -n "$code" ]; then
    enrol_with_code
  elif [ ! -f $SETTINGS ]; then
    UNFINISHED+=(settings)
    say "   Chưa có $SETTINGS. Chạy lại với --station và --code." "There is no $SETTINGS. Run again with --station and --code."
  fi
}

# What a code was used for is remembered, so that the same command may be repeated.
enrol_with_code() {
  local used=$LOA/enrolled mark
  mark=$(printf '%s %s' "$station" "$code" | sha256sum | cut -d' ' -f1)
  if [ -f $SETTINGS ] && [ "$(cat $used 2>/dev/null || true)" = "$mark" ]; then
    say "   Đã ghi danh." "Enrolled already."
    return
  fi
  # a code counts once: what it brought before a power cut is not asked for again
  if [ "$(cat $used.trying 2>/dev/null || true)" != "$mark" ] || ! drafted; then
    printf '%s\n' "$mark" | lay $used.trying 600 root:root >/dev/null
    ask_to_enrol
  fi
  lay_draft
  printf '%s\n' "$mark" | lay $used 600 root:root
  rm -f $used.trying
  as_user rm -f $DRAFT
}

drafted() { as_user test -s $DRAFT && ! as_user cmp -s $DRAFT - < <(cat $SETTINGS 2>/dev/null); }

# The node's user talks to the network and writes a draft; root lays it where updates believe it.
ask_to_enrol() {
  local options=()
  [ -z "$player" ] || options+=(--player "$player")
  if [ ! -f $SETTINGS ]; then as_user rm -f $DRAFT; else as_user tee $DRAFT <$SETTINGS >/dev/null; fi
  as_node enrol "$code" --station "$station" --config $DRAFT --state-dir $STATE "${options[@]}"
}

# Read as the user: a link there leads root nowhere.
lay_draft() {
  local text
  text=$(as_user head -c 65536 $DRAFT)
  printf '%s\n' "$text" | lay $SETTINGS 640 root:$USER_NAME
}

as_user() { (cd / && runuser -u $USER_NAME -- env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=$STATE LANG="${LANG:-C.UTF-8}" "$@"); }

# A verb of the node's, by its user: it makes the key, which nobody else may read.
as_node() { as_user $LOA/current/bin/loa node "$@"; }

listen() {
  step "6/7 Kiểm tra và nghe thử" "Check and test tone"
  [ -f $SETTINGS ] || return 0
  # a node that runs holds its sound card, and a check would throw it off its broker
  if systemd_runs && systemctl -q is-active loa-node; then
    say "   Cụm loa đang chạy: không kiểm tra, không âm thử." "The node runs: no check, no tone."
    return
  fi
  checked || UNFINISHED+=(check)
  if [ -z "$start" ] || ! as_node tone --help >/dev/null 2>&1; then return 0; fi
  as_node tone --config $SETTINGS || UNFINISHED+=(tone)
}

# Every finding as a sentence. What a node is given only when it first meets its station, and a clock that its settings
# trust, is no fault of an installation.
checked() {
  { as_node check --config $SETTINGS --json || true; } | /usr/bin/python3 -c '
import json, sys
try:
    told, bad = json.load(sys.stdin), set()
except ValueError:
    sys.exit(1)  # it has said why
for each in told["findings"]:
    if isinstance(each, str):
        print(each)
        continue
    print("✓" if each["good"] else "✗", each["sentence"])
    if not each["good"]:
        bad.add(each["key"])
later = {"check_clock_trusted", "check_trust_none", "check_siren_none", "check_siren_missing", "check_standby_missing"}
sys.exit(0 if told["good"] or bad and bad <= later else 1)
'
}

# Where the machine has a TPM, the node's keys are closed under a secret that is sealed to it. Without one there is
# nothing to gain: what could open them would lie on the same card.
seal_keys() {
  if [ ! -f $SETTINGS ] || ! command -v systemd-creds >/dev/null || ! systemd-creds has-tpm2 -q 2>/dev/null; then return 0; fi
  if [ ! -f /etc/loa/node-keys.cred ]; then
    # no PCRs: an update of the firmware must not silence a loudspeaker
    if ! head -c 32 /dev/urandom | systemd-creds encrypt --tpm2-pcrs= --name=loa-node-keys - /etc/loa/node-keys.cred.new; then
      UNFINISHED+=(node-keys)
      return
    fi
    lay /etc/loa/node-keys.cred 600 root:root </etc/loa/node-keys.cred.new
    rm -f /etc/loa/node-keys.cred.new
  fi
  lay /etc/systemd/system/loa-node.service.d/keys.conf 644 root:root <<END
[Service]
LoadCredentialEncrypted=loa-node-keys:/etc/loa/node-keys.cred
END
  grep -q '^key_credential' $SETTINGS || { cat $SETTINGS && printf 'key_credential = "loa-node-keys"\n'; } | lay $SETTINGS 640 root:$USER_NAME
}

run_it() {
  step "7/7 Chạy" "Run"
  [ -f $SETTINGS ] || return 0
  local unit others=()
  for unit in /etc/systemd/system/loa-node*.{service,timer,path,socket}; do
    if [ ! -f "$unit" ] || ! grep -q '^WantedBy=' "$unit"; then continue; fi
    enable_unit "${unit##*/}"
    [ "${unit##*/}" = loa-node.service ] || others+=("${unit##*/}")
  done
  if [ -z "$start" ] || ! systemd_runs; then
    say "   Không khởi động (không có systemd đang chạy, hoặc --no-start); cụm loa chạy khi máy khởi động." \
      "Nothing is started (no systemd runs, or --no-start); the node starts with the machine."
    return
  fi
  [ $CHANGES = 0 ] || quietly systemctl daemon-reload
  [ $CHANGES = 0 ] || [ -z "$system" ] || { quietly systemctl daemon-reexec && quietly systemctl try-restart systemd-journald; }
  [ ${#others[@]} = 0 ] || quietly systemctl start "${others[@]}" || UNFINISHED+=("${others[@]}")
  if [ $CHANGES != 0 ] || ! systemctl -q is-active loa-node; then
    quietly systemctl restart loa-node || UNFINISHED+=(loa-node)
  fi
}

take_away() {
  step "Gỡ cài đặt" "Uninstalling"
  local unit
  for unit in /etc/systemd/system/loa-node*.{service,timer,path,socket}; do
    [ -f "$unit" ] || continue
    ! systemd_runs || quietly systemctl disable --now "${unit##*/}" || true
    remove /etc/systemd/system/*.wants/"${unit##*/}" "$unit"
  done
  remove $LOA/current $LOA/steady $LOA/a $LOA/b $LOA/update $LOA/installer.md $LOA/unpacked $LOA/debs $LOA/tmp
  [ ! -L /usr/local/bin/loa ] || [ -e /usr/local/bin/loa ] || remove /usr/local/bin/loa
  [ -f /etc/systemd/system/loa-controller.service ] || remove /etc/systemd/system.conf.d/90-loa-watchdog.conf /etc/systemd/journald.conf.d/90-loa.conf /etc/udev/rules.d/60-loa-gpio.rules
  if [ -n "$purge" ]; then
    remove $STATE $SETTINGS $LOA/enrolled $LOA/enrolled.trying
    ! getent passwd $USER_NAME >/dev/null || { userdel $USER_NAME && changed "- $USER_NAME"; }
  else
    say "   Còn giữ: $STATE, $SETTINGS" "Kept: $STATE, $SETTINGS"
  fi
  rmdir --ignore-fail-on-non-empty $LOA /etc/loa 2>/dev/null || true
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
  mkdir -p /run
  exec 9>/run/loa-install.lock
  flock -n 9 || refuse "Một lần cài khác đang chạy." "Another installation is running."
  trap 'stopped $?' EXIT
  open_bundle node
  packages
  user_and_folders
  program
  system_files
  rm -rf $LOA/unpacked $LOA/debs
  enrol
  listen
  seal_keys
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
  [ ${#UNFINISHED[@]} = 0 ] || {
    say "Đã cài xong, nhưng còn việc (xem ở trên): ${UNFINISHED[*]}" "Installed, but something is left to do (see above): ${UNFINISHED[*]}"
    exit 4
  }
  say "Xong." "Done."
}

main "$@"
