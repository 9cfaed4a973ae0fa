#!/usr/bin/env bash
# Reads every #include under src/, apps/ and include/ of ROOT and fails on one that points up or sideways.
# Usage: check_includes.sh [ROOT]. Prints one line a wrong include; exit status 1 if there is any.
# \see docs/architecture.md, "The floors"
set -eu
cd "${1:-.}"

# The floors, lowest first; folders of one line may not include each other. Every folder of src/ must be here.
floors='
base
kernels media
nn format bytes chart
model prepare backprop
data api interop
plan
train serve experiments capi
'

find src apps include -type f \( -name '*.hpp' -o -name '*.cpp' -o -name '*.h' -o -name '*.inl' -o -name '*.inc' \) 2>/dev/null |
  LC_ALL=C sort | awk -v floors="$floors" '
function fail(what) { print file ":" line_number ": " what; failed = 1 }

# "base" for src/base/x.hpp, "apps/byteformer" for apps/byteformer/commands/x.hpp, "include" for public headers.
function folder_of(path,   part) {
  split(path, part, "/")
  if (part[1] == "src") return part[2]
  if (part[1] == "apps") return "apps/" part[2]
  return part[1]
}

function floor_of(folder) { return folder ~ /^apps\// ? top_floor : floor[folder] }

function check(include, is_quoted,   here, target, dir) {
  here = folder_of(file)
  if (include ~ /(^|\/)\.\.?\//) return fail("\"" include "\": write the path from src/, without dots")
  if (include ~ /^(torch|ATen|c10)\// && here != "train" && here != "apps/byteformer-train")
    return fail("<" include ">: only src/train may use LibTorch")
  if (include ~ /^byteformer\//) return  # public headers lie below everything
  if (here == "include") {
    if (file ~ /\.h$/ && include ~ /^std[a-z]*\.h$/) return
    if (is_quoted || include ~ /[\/.]/) fail("\"" include "\": a public header includes only the standard library and byteformer/")
    return
  }
  dir = file; sub(/\/[^\/]*$/, "", dir)
  if (("src/" include) in exists) target = folder_of("src/" include)
  else if ((dir "/" include) in exists) target = here
  else if ((here "/" include) in exists) target = here  # apps/byteformer/ is on the path of its own files
  else if (("apps/" include) in exists) target = folder_of("apps/" include)
  else return  # not ours
  if (target == here) return
  if (target == "apps/common" && here ~ /^apps\//) return  # what the programs share
  if (target ~ /^apps\//) return fail("\"" include "\" points " (here ~ /^apps\// ? "sideways" : "up") ": nothing includes a program")
  if (!(target in floor)) return fail("\"" include "\": folder src/" target " has no floor")
  if (floor_of(target) >= floor_of(here))
    fail("\"" include "\" points " (floor_of(target) > floor_of(here) ? "up" : "sideways") ": " here " is on floor " floor_of(here) ", " target " on floor " floor_of(target))
}

BEGIN {
  top_floor = 0
  count = split(floors, row, "\n")
  for (i = 1; i <= count; ++i) {
    if (row[i] == "") continue
    folders = split(row[i], folder, " ")
    for (j = 1; j <= folders; ++j) floor[folder[j]] = top_floor
    ++top_floor
  }
}
{ exists[$0] = 1; files[++num_files] = $0 }
END {
  if (num_files == 0) { print "no sources here: wrong folder?"; exit 1 }
  for (i = 1; i <= num_files; ++i) {
    file = files[i]; line_number = 0
    if (file ~ /^src\/[^\/]+\// && !(folder_of(file) in floor)) fail("folder src/" folder_of(file) " has no floor; give it one here and in docs/architecture.md")
    while ((getline line < file) > 0) {
      ++line_number
      if (line !~ /^[ \t]*#[ \t]*include[ \t]*["<]/) continue
      is_quoted = line ~ /^[^"<]*"/
      sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", line)
      sub(/[">].*$/, "", line)
      check(line, is_quoted)
      ++num_includes
    }
    close(file)
  }
  printf "%d files, %d includes: %s\n", num_files, num_includes, failed ? "some point the wrong way" : "all point down"
  exit failed
}'
