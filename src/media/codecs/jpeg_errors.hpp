// Errors of libjpeg as a message and a jump, with nothing printed.
#pragma once

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>

// jpeglib.h needs the two headers above it.
#include <jpeglib.h>

namespace byteformer::media::codecs {

struct JpegErrors {
  JpegErrors();
  JpegErrors(const JpegErrors&) = delete;
  JpegErrors& operator=(const JpegErrors&) = delete;

  jpeg_error_mgr manager{};  // first: libjpeg hands back a pointer to it
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

}  // namespace byteformer::media::codecs
