// The sounds of tests/data/sounds, with what each must decode to.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "support/files.hpp"

namespace byteformer::test {

struct SoundSample {
  std::string name;
  int sample_rate = 0;
  std::size_t num_samples = 0;
  double tolerance = 0;  ///< how far samples may be from tone()

  std::vector<std::uint8_t> bytes() const { return read_bytes(data_path("sounds/" + name)); }
};

inline std::ostream& operator<<(std::ostream& out, const SoundSample& sound) { return out << sound.name; }

inline std::vector<SoundSample> sounds() {
  std::ifstream index(data_path("sounds/index.txt"));
  std::vector<SoundSample> out;
  for (SoundSample sound; index >> sound.name >> sound.sample_rate >> sound.num_samples >> sound.tolerance;)
    out.push_back(sound);
  return out;
}

inline std::vector<float> tone() {
  const std::string bytes = read_file(data_path("sounds/tone.f32"));
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace byteformer::test
