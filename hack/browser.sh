#!/usr/bin/env bash
# The browser in which specs look at the console: `find` prints its path, `install` installs one where there is none.
set -euo pipefail

find() {
  command -v "${CHROME:-chromium}" || command -v chromium-browser || command -v google-chrome
}

case "${1:-}" in
find)
  find && exit
  echo "No Chromium is installed: the specs that look at the console in a browser are skipped." >&2
  echo "Install one (Debian, as root: hack/browser.sh install), or name one by CHROME." >&2
  exit 1
  ;;
install)
  find && exit
  if [[ "$(id -u)" != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "No Chromium is installed, and only root on Debian can be helped here: install one, or name one by CHROME." >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  find
  ;;
*)
  echo "usage: hack/browser.sh find|install" >&2
  exit 2
  ;;
esac
