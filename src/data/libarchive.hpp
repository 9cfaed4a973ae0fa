// The door to libarchive: its functions that we use, which are looked up when the first archive is read or written. A
// process that sees no archive starts without it and the dozen libraries that it brings.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>

#include "byteformer/error.hpp"

namespace byteformer::data {

#define BYTEFORMER_LIBARCHIVE(USE)             \
  USE(archive_read_new)                        \
  USE(archive_read_support_filter_bzip2)       \
  USE(archive_read_support_filter_gzip)        \
  USE(archive_read_support_filter_lz4)         \
  USE(archive_read_support_filter_xz)          \
  USE(archive_read_support_filter_zstd)        \
  USE(archive_read_support_format_raw)         \
  USE(archive_read_support_format_tar)         \
  USE(archive_read_set_options)                \
  USE(archive_read_open_filename)              \
  USE(archive_read_next_header)                \
  USE(archive_read_header_position)            \
  USE(archive_read_data)                       \
  USE(archive_read_free)                       \
  USE(archive_filter_bytes)                    \
  USE(archive_filter_code)                     \
  USE(archive_error_string)                    \
  USE(archive_entry_filetype)                  \
  USE(archive_entry_hardlink)                  \
  USE(archive_entry_hardlink_utf8)             \
  USE(archive_entry_pathname)                  \
  USE(archive_entry_pathname_utf8)             \
  USE(archive_entry_size)                      \
  USE(archive_entry_sparse_count)              \
  USE(archive_write_new)                       \
  USE(archive_write_set_format_pax_restricted) \
  USE(archive_write_open)                      \
  USE(archive_write_header)                    \
  USE(archive_write_data)                      \
  USE(archive_write_close)                     \
  USE(archive_write_free)                      \
  USE(archive_entry_new)                       \
  USE(archive_entry_free)                      \
  USE(archive_entry_set_filetype)              \
  USE(archive_entry_set_mtime)                 \
  USE(archive_entry_set_pathname)              \
  USE(archive_entry_set_perm)                  \
  USE(archive_entry_set_size)

/// Each function under its own name.
struct LibArchive {
#define BYTEFORMER_MEMBER(name) decltype(&::name) name = nullptr;
  BYTEFORMER_LIBARCHIVE(BYTEFORMER_MEMBER)
#undef BYTEFORMER_MEMBER
};

/// Thread-safe.
/// \throws Error kUnsupported naming what is to be installed, where the library is not found.
const LibArchive& libarchive();

/// What the library says went wrong, as an error about `path`.
Error archive_error(archive* failed, const std::filesystem::path& path);

}  // namespace byteformer::data
