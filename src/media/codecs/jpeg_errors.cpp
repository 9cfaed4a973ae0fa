// The call-backs behind jpeg_errors.hpp; warnings that mean lost pixels become errors.
#include "media/codecs/jpeg_errors.hpp"

#include <jerror.h>

namespace byteformer::media::codecs {
namespace {

void fail(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  (*info->err->format_message)(info, errors->message.data());
  std::longjmp(errors->jump, 1);
}

void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;  // a trace
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE: fail(info); return;
    default: ++info->err->num_warnings;
  }
}

void print_nothing(j_common_ptr) {}

}  // namespace

JpegErrors::JpegErrors() {
  jpeg_std_error(&manager);
  manager.error_exit = fail;
  manager.emit_message = on_message;
  manager.output_message = print_nothing;
}

}  // namespace byteformer::media::codecs
