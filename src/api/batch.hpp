// The files of one call, shared out to the threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "api/engine.hpp"

namespace byteformer::api {

/// Who computes which file of a call; indices in their order.
struct Shares {
  std::vector<std::size_t> alone;     ///< for any thread alone
  std::vector<std::size_t> together;  ///< for all threads together
};

/// Files of a few rounds or less are for single threads, if there is at least one for each of several threads; where
/// there are many callers, files of one round or less, however many.
Shares share_out(std::span<const std::uint64_t> num_tokens, int num_threads, bool many_callers);

/// Classifies many files; the results have their order.
///
/// A thread takes small files whole, and they flow through a workspace of its own: threads share nothing but the
/// weights then, and never wait for one another. Large files are computed by all threads together. Who computes a file
/// changes no bit of its result.
std::vector<FileResult> classify_all(const Engine& engine, std::span<const Bytes> files);

/// The same for files to read. \see Classifier::classify_file for the errors
std::vector<FileResult> classify_all(const Engine& engine, std::span<const std::filesystem::path> paths);

}  // namespace byteformer::api
