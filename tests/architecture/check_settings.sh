#!/usr/bin/env bash
# Fails where the name of an option ("--crop") stands in string literals of more than one file of src/ and apps/: the
# table in src/plan/settings.cpp has the names of a training's settings, and option_name() says them; an option of one
# command is declared in that command's file, one of several in apps/byteformer/cli.hpp. Usage: check_settings.sh [ROOT]
# Comments, help texts (raw strings) and what follows a program's name in a message are examples, not names. Messages of
# src/ that speak of a command's option cannot see its declaration. --version is an option of both programs.
set -eu
cd "${1:-.}"
settings=$(sed -n 's/^ *{"\([a-z-]*\)",.*/\1/p' src/plan/settings.cpp)
[ "$(wc -w <<<"$settings")" -gt 40 ] || { echo 'no table of settings in src/plan/settings.cpp'; exit 1; }

# "NAME FILE" for each name in a literal.
names() {
  sed 's/$/ src\/plan\/settings.cpp/' <<<"$settings"
  find src apps -name '*.?pp' -print0 | xargs -0 awk '
    FNR == 1 { is_raw = 0 }
    is_raw { if (!sub(/^.*\)"/, "")) next; is_raw = 0 }
    /^ *\/\// { next }
    {
      sub(/[;,{}] +\/\/.*/, "")
      if (i = index($0, "R\"(")) {
        if (index(substr($0, i), ")\"")) sub(/R"\(.*\)"/, ""); else { $0 = substr($0, 1, i - 1); is_raw = 1 }
      }
      for (n = split($0, part, "\""); n > 1; --n) {  # literals are the even parts
        if (n % 2) continue
        sub(/(byteformer|cmake) .*/, "", part[n])
        while (match(part[n], /--[a-z][a-z-]+/)) {
          print substr(part[n], RSTART + 2, RLENGTH - 2), FILENAME
          part[n] = substr(part[n], RSTART + RLENGTH)
        }
      }
    }'
}
found=$(names | sort -u | awk -v settings="$(paste -sd' ' <<<"$settings")" '
  $2 ~ /^src\// && index(" " settings " ", " " $1 " ") == 0 { next }
  { files[$1] = files[$1] " " $2; ++count[$1] }
  END { for (name in count) if (count[name] > 1 && name != "version") print "--" name ":" files[name] }' | sort)
[ -z "$found" ] || { printf '%s\n' "$found"; exit 1; }
