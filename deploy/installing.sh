# shellcheck shell=bash
# What the installers share: each step looks first and changes only what is not so yet, so that any of them may be
# repeated after a power cut. Sourced by install-node.sh and install-station.sh; does nothing by itself.

LOA=/opt/loa
: "${here:=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}"
LOG=/var/log/loa-install.log
CHANGES=0

say() { printf '%s\n   %s\n' "$1" "$2"; }        # Vietnamese, English
step() { printf '\n'; say "== $1" "== $2"; }
refuse() {
  say "$1" "$2" >&2
  exit 3
}

# Whether a systemd that could start something runs here; in an image or a chroot none does.
systemd_runs() { [ -d /run/systemd/system ] && command -v systemctl >/dev/null; }

# Runs a command with its words in the log; shows the end of them where it failed.
quietly() {
  printf '\n$ %s\n' "$*" >>"$LOG"
  # 9: a daemon that a package starts must not hold the lock
  "$@" >>"$LOG" 2>&1 9>&- && return 0
  tail -n 15 "$LOG" >&2
  return 1
}

# Lays standard input as file $1 with mode $2 and owner $3, whole or not at all; nothing where it is so already.
lay() {
  local half
  mkdir -p "$(dirname "$1")"
  rm -f "$1".loa.?????? # of a run that was cut off
  half=$(mktemp "$1.loa.XXXXXX")
  cat >"$half"
  if [ -f "$1" ] && [ ! -L "$1" ] && cmp -s "$half" "$1" && [ "$(stat -c '%a %U:%G' "$1")" = "$2 $3" ]; then
    rm -f "$half"
    return
  fi
  chown "$3" "$half"
  chmod "$2" "$half"
  sync "$half"
  mv -T "$half" "$1"
  changed "$1"
}

changed() {
  CHANGES=$((CHANGES + 1))
  printf '   + %s\n' "$1"
}

# A folder $1 with mode $2 and owner $3.
folder() {
  [ -d "$1" ] && [ "$(stat -c '%a %U:%G' "$1")" = "$2 $3" ] && return 0
  install -d -m "$2" -o "${3%:*}" -g "${3#*:}" "$1"
  changed "$1"
}

remove() {
  local path
  for path in "$@"; do
    [ -e "$path" ] || [ -L "$path" ] || continue
    rm -rf "$path"
    changed "- $path"
  done
}

# --- what is looked at before anything changes ----------------------------------------------------------------

# $1: MB of memory that it must have, $2: of free disk. Sets MACHINE and PYTHON.
look_at_system() {
  local architecture memory
  [ "$(id -u)" = 0 ] || refuse "Cần quyền root: thêm sudo ở đầu lệnh." "Root is needed: put sudo before the command."
  architecture=$(dpkg --print-architecture 2>/dev/null || true)
  # shellcheck disable=SC2034
  case "$architecture" in
    arm64) MACHINE=aarch64 ;;
    amd64) MACHINE=x86_64 ;;
    *) refuse "Cần hệ điều hành 64 bit (máy này: ${architecture:-?}). Hãy cài Raspberry Pi OS 64 bit." \
      "A 64-bit system is needed (this one: ${architecture:-?}). Install 64-bit Raspberry Pi OS." ;;
  esac
  look_at_release
  memory=$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)
  [ "$memory" -ge "$1" ] || refuse "Máy chỉ có $memory MB bộ nhớ, cần $1." "The machine has $memory MB of memory; $1 are needed."
  look_at_space "$2"
}

look_at_release() {
  local name version
  # shellcheck disable=SC1091
  read -r name version < <(. /etc/os-release && printf '%s %s\n' "${ID:-?}" "${VERSION_ID:-0}")
  if ! [[ $name =~ ^(debian|raspbian)$ && $version =~ ^[0-9]+ && ${version%%.*} -ge 12 ]]; then
    refuse "Cần Debian 12 hoặc Raspberry Pi OS Bookworm trở lên (máy này: $name $version)." \
      "Debian 12 or Raspberry Pi OS Bookworm or newer is needed (this one: $name $version)."
  fi
  [ "${version%%.*}" = 12 ] && PYTHON=3.11 || PYTHON=3.13
  ! command -v /usr/bin/python3 >/dev/null || PYTHON=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  dpkg --compare-versions "$PYTHON" ge 3.11 || refuse "Cần Python 3.11 (máy này: $PYTHON)." "Python 3.11 is needed (here: $PYTHON)."
}

look_at_space() {
  local place=$LOA free
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  free=$(df --output=avail -BM "$place" | tail -n 1 | tr -dc 0-9)
  [ "$free" -ge "$1" ] || refuse "Đĩa còn trống $free MB, cần $1." "$free MB of disk are free; $1 are needed."
}

# --- Debian packages ------------------------------------------------------------------------------------------

missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${Status}\n' "$name" 2>/dev/null | grep -q '^install ok installed' || printf '%s\n' "$name"
  done
}

# Installs the packages named that are missing: out of the folder of .deb files $1 ("": none), else from the network.
need_packages() {
  local debs=$1 missing options=(-y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  shift
  export DEBIAN_FRONTEND=noninteractive
  # a power cut in the middle of the last run
  [ -z "$(dpkg --audit)" ] || quietly dpkg --configure -a
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "   Cài gói: ${missing[*]}" "Installing: ${missing[*]}"
  if [ -n "$debs" ]; then
    take_from_folder "$debs"
    options+=("${FROM_FOLDER[@]}")
  fi
  quietly apt-get "${FROM_FOLDER[@]}" -o DPkg::Lock::Timeout=300 update || true
  if ! quietly apt-get "${options[@]}" install "${missing[@]}"; then
    refuse "Không cài được gói Debian: ${missing[*]}. Nơi không có internet: đóng gói với --debs (docs/operations.md)." \
      "Debian packages could not be installed: ${missing[*]}. Without internet: a bundle made with --debs (docs/operations.md)."
  fi
  changed "${missing[*]}"
}

# Makes apt see the .deb files in folder $1, and nothing else: sets FROM_FOLDER.
FROM_FOLDER=()
take_from_folder() {
  local deb index=$LOA/debs/Packages
  rm -rf "$LOA/debs"
  mkdir -p "$LOA/debs/lists/partial"
  cp "$1"/*.deb "$LOA/debs/"
  for deb in "$LOA"/debs/*.deb; do
    dpkg-deb -f "$deb" || refuse "Tệp ${deb##*/} hỏng: hãy chép lại gói." "${deb##*/} is spoilt: copy the bundle again."
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" "$(sha256sum <"$deb" | cut -d' ' -f1)"
  done >"$index"
  # trusted: the files came with this installer, in the same hands
  printf 'deb [trusted=yes] file:%s ./\n' "$LOA/debs" >"$LOA/debs/here.list"
  FROM_FOLDER=(-o "Dir::Etc::sourcelist=$LOA/debs/here.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$LOA/debs/lists" -o APT::Sandbox::User=root)
}

# --- where the program comes from -----------------------------------------------------------------------------

# Opens the bundle $bundle ("": none) that holds the extra $1. Sets from: the folder of an open bundle, or "" for the
# source folder above this script; and identity: of what it holds.
open_bundle() {
  from=''
  if [ -n "$bundle" ]; then
    local names
    names=$(tar -tf "$bundle" 2>/dev/null) || refuse "Không đọc được $bundle" "$bundle cannot be read"
    if grep -Evq '^((wheels|debs)/)?[A-Za-z0-9_][A-Za-z0-9_.+~-]*$' <<<"$names"; then
      refuse "$bundle không phải là gói của Loa." "$bundle is no bundle of Loa."
    fi
    rm -rf $LOA/unpacked
    install -d -m 755 $LOA $LOA/unpacked
    tar -xf "$bundle" -C $LOA/unpacked --no-same-owner
    from=$LOA/unpacked
  elif [ -f "$here/bundle.toml" ]; then
    from=$here
  fi
  if [ -z "$from" ]; then
    identity=$(source_identity)
    return
  fi
  if [ ! -f "$from/requirements.txt" ] || [ ! -f "$from/bundle.toml" ]; then refuse "Gói không đủ." "The bundle is not whole."; fi
  identity=$(sha256sum <"$from/requirements.txt")
  local extra
  extra=$(told extra)
  [ "${extra:-node}" = "$1" ] || refuse "Gói này dành cho việc khác (${extra:-node})." "This bundle is for something else (${extra:-node})."
  [ "$(told python) $(told machine)" = "$PYTHON $MACHINE" ] ||
    refuse "Gói này cho Python $(told python), $(told machine); máy này: Python $PYTHON, $MACHINE." \
      "This bundle is for Python $(told python), $(told machine); this machine: Python $PYTHON, $MACHINE."
}

told() { sed -n "s/^$1 = \"\\(.*\\)\"\$/\\1/p" "$from/bundle.toml"; }

source_identity() {
  [ -f "$here/../pyproject.toml" ] || refuse "Không thấy mã nguồn bên cạnh tệp này." "There is no source beside this file."
  (cd "$here/.." && find locks pyproject.toml cage wire words schedules controller edge_node fleet loa bench \
    -type f -not -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}

# The link $1 leads to $2, replaced whole.
lead() {
  [ "$(readlink "$1" || true)" != "$2" ] || return 0
  ln -sfn "$2" "$1.loa"
  mv -T "$1.loa" "$1"
  sync -f "${1%/*}"
  changed "$1 -> $2"
}

# Whether the environment $1 is newer than this bundle.
newer_stands() {
  local standing
  [ -n "$from" ] && standing=$(version_of "$1") && dpkg --compare-versions "$standing" gt "$(told version)"
}

version_of() { "$1/bin/python" -c 'from importlib.metadata import version; print(version("loa-radio"))' 2>/dev/null; }

# Makes the environment $1 anew with the extras $2, tried with the Python line $3; its file "complete" comes last.
build() {
  local pip
  say "   Đang cài vào $1 (vài phút trên Raspberry Pi)" "Installing into $1 (some minutes on a Raspberry Pi)"
  # /tmp may be memory; pip unpacks there
  export TMPDIR=$LOA/tmp PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
  rm -rf "$1" $TMPDIR
  mkdir -p $TMPDIR
  quietly /usr/bin/python3 -m venv --without-pip "$1"
  # the pip of python3-venv, run as it lies: none stays in the environment
  pip=("$1/bin/python" "$(echo /usr/share/python-wheels/pip-*.whl)/pip" install)
  if [ -n "$from" ]; then
    quietly "${pip[@]}" --no-index --find-links "$from/wheels" --only-binary=:all: --no-deps --require-hashes -r "$from/requirements.txt"
  else
    local source group locks=()
    source=$(cd "$here/.." && pwd)
    for group in base ${2//,/ }; do locks+=(-r "$source/locks/$group.txt"); done
    pip+=(--no-deps --only-binary=:all:)
    quietly "${pip[@]}" --require-hashes "${locks[@]}"
    # what builds the program's own wheel does not stay
    quietly "${pip[@]}" --target $TMPDIR/build --require-hashes -r "$source/locks/build.txt"
    PYTHONPATH=$TMPDIR/build quietly "${pip[@]}" --no-index --no-build-isolation "$source"
  fi
  rm -rf $TMPDIR
  quietly "$1/bin/python" -c "$3"
  sync -f "$1"
  printf '%s\n' "$identity" >"$1/complete"
  sync "$1/complete"
  unset TMPDIR
}

# --- users, system files --------------------------------------------------------------------------------------

# A system user $1 with home $2, in those of the groups $3… that this system has.
need_user() {
  local user=$1 home=$2 group
  shift 2
  if ! getent passwd "$user" >/dev/null; then
    useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$user"
    changed "$user"
  fi
  for group in "$@"; do
    getent group "$group" >/dev/null || continue
    [[ " $(id -nG "$user") " != *" $group "* ]] || continue
    usermod -aG "$group" "$user"
    changed "$user: $group"
  done
}

# The machine restarts itself where it hangs, and the journal does not wear the card out.
lay_system_settings() {
  lay /etc/systemd/system.conf.d/90-loa-watchdog.conf 644 root:root <<'END'
# Laid by Loa's installer. The hardware watchdog of a Raspberry Pi bites after 16 s at most.
[Manager]
RuntimeWatchdogSec=15s
RebootWatchdogSec=2min
END
  lay /etc/systemd/journald.conf.d/90-loa.conf 644 root:root <<'END'
# Laid by Loa's installer: the journal in memory spares the card. What was aired is in the node's ledger.
[Journal]
Storage=volatile
RuntimeMaxUse=16M
END
}

# Starts unit $1 at every boot, here or in an image.
enable_unit() {
  local wanted
  if command -v systemctl >/dev/null; then
    systemctl -q is-enabled "$1" 2>/dev/null && return 0
    quietly systemctl enable "$1"
  else
    wanted=/etc/systemd/system/$(sed -n 's/^WantedBy=//p' "/etc/systemd/system/$1" | head -n 1).wants/$1
    [ ! -L "$wanted" ] || return 0
    mkdir -p "${wanted%/*}"
    ln -s "/etc/systemd/system/$1" "$wanted"
  fi
  changed "$1"
}
