// The program in this process: what it says and returns; and files and models for it to read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "application.hpp"
#include "support/files.hpp"

namespace byteformer::cli {

struct Outcome {
  int status = 0;
  std::string out, err;
};

/// Without `input` the program has no standard input.
inline Outcome run_program(const std::vector<std::string>& arguments, const std::optional<std::string>& input = "") {
  std::istringstream in(input.value_or(""));
  std::ostringstream out;
  std::ostringstream err;
  Console console{.in = input ? &in : nullptr, .out = out, .err = err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

/// A file that ships with the program: "models/mnist".
inline std::string in_repository(const std::string& name) { return test::data_path("../../" + name).native(); }

/// A PPM of raw RGB bytes.
inline std::string ppm(int width, int height, std::string_view rgb) {
  return "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n" + std::string(rgb);
}

/// A mono WAV file of raw float32 samples.
inline std::string float32_wav(std::uint64_t sample_rate, std::string_view samples) {
  const auto number = test::little_endian;
  const std::string body = "WAVEfmt " + number(16, 4) + number(3, 2) + number(1, 2) + number(sample_rate, 4) +
                           number(4 * sample_rate, 4) + number(4, 2) + number(32, 2) + "data" +
                           number(samples.size(), 4) + std::string(samples);
  return "RIFF" + number(body.size(), 4) + body;
}

/// A picture of any content, different for every seed.
inline std::string some_picture(int width, int height, unsigned seed) {
  std::string rgb(std::size_t{3} * static_cast<std::size_t>(width * height), '\0');
  for (char& value : rgb) value = static_cast<char>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
  return ppm(width, height, rgb);
}

/// A copy of tests/data/untrained-nano that expects files as `preprocess` (JSON) says; empty: as they are.
inline std::string nano_model(const std::filesystem::path& dir, const std::string& preprocess) {
  const std::filesystem::path nano = test::data_path("untrained-nano");
  std::filesystem::create_directories(dir);
  std::filesystem::copy_file(nano / "model.safetensors", dir / "model.safetensors");
  std::string config = test::read_file(nano / "config.json");
  if (!preprocess.empty()) config.insert(config.find('{') + 1, "\"preprocess\": " + preprocess + ",");
  test::write_file(dir / "config.json", config);
  return dir.native();
}

inline constexpr const char* kFhwc8 =
    R"({"version":1,"kind":"image","image":{"resize":8,"crop":8},"encoding":{"format":"fhwc"}})";
inline constexpr const char* kJoint =
    R"({"version":1,"kind":"image+audio","image":{"resize":8,"crop":8},"audio":{"sample_rate":8000,"duration_s":0.05},)"
    R"("encoding":{"format":"tiff"},"audio_encoding":{"format":"wav","sample_format":"uint8"}})";

}  // namespace byteformer::cli
