// Executes the ONNX graphs that we export, operator by operator, slowly and in double precision.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace byteformer::test {

/// The logits of one file. Written from the standard's operators (set 17); those that we do not write are refused.
std::vector<double> run_onnx(const std::filesystem::path& model, std::span<const std::uint8_t> file);

}  // namespace byteformer::test
