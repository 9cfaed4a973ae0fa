# Sourced by tests: tiny_data DEST makes DEST/mnist28_png, DEST/fsdd and DEST/digits-joint, two classes of copies of one file.
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
