// The pictures of tests/data/pictures, with the pixels that each must decode to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace byteformer::test {

struct Picture {
  std::string name;
  std::string pixels;
  int width = 0;
  int height = 0;

  std::vector<std::uint8_t> bytes() const { return read_bytes(data_path("pictures/" + name)); }
  std::vector<std::uint8_t> rgb() const { return read_bytes(data_path("pictures/" + pixels)); }
};

inline std::ostream& operator<<(std::ostream& out, const Picture& picture) { return out << picture.name; }

inline std::vector<Picture> pictures() {
  std::ifstream index(data_path("pictures/index.txt"));
  std::vector<Picture> out;
  for (Picture picture; index >> picture.name >> picture.pixels >> picture.width >> picture.height;)
    out.push_back(picture);
  return out;
}

/// `name` with the letters that GoogleTest allows.
inline std::string test_name(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

}  // namespace byteformer::test
