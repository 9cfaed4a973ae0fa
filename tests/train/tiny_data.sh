# Sourced by tests: data sets that are made in a moment, and comparing what trainings leave. `repository` is this one.

# tiny_data DEST makes DEST/mnist28_png, DEST/fsdd and DEST/digits-joint, two classes of copies of one file.
tiny_data() {
  local examples=$repository/examples/data part class i
  for part in train test; do
    for class in 3 7; do
      mkdir -p "$1"/{mnist28_png,fsdd,digits-joint}/$part/$class
      for i in $(seq $([ $part = train ] && echo 12 || echo 2)); do
        cp "$examples/handwritten_$class.png" "$1/mnist28_png/$part/$class/$i.png"
        cp "$examples/spoken_$class.wav" "$1/fsdd/$part/$class/$i.wav"
      done
      cp "$1/mnist28_png/$part/$class"/* "$1/fsdd/$part/$class"/* "$1/digits-joint/$part/$class"
    done
  done
}

# text_data DEST makes two kinds of text of many lengths, told apart by the letters that they use: DEST/letters and DEST/digits.
text_data() {
  local kind i
  for kind in letters digits; do
    mkdir -p "$1/$kind"
    for i in $(seq 60); do
      awk -v seed="$i" -v first="$([ $kind = letters ] && echo 97 || echo 48)" \
        'BEGIN { srand(seed); for (j = 0; j < 40 + 97 * seed % 400; ++j) printf "%c", first + int(10 * rand()) }' >"$1/$kind/$i.txt"
    done
  done
}

# same_tensors RUN RUN: whether weights and checkpoints of two runs are the same, but for headers, which tell seconds.
same_tensors() {
  local size
  size=$(stat -c %s "$1/model.safetensors")
  cmp "$1/model.safetensors" "$2/model.safetensors" &&
    cmp <(tail -c "$size" "$1/training/checkpoint.safetensors") <(tail -c "$size" "$2/training/checkpoint.safetensors")
}
