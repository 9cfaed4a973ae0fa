// Says where bytes from outside end too early.
#include "base/bytes_io.hpp"

#include "byteformer/error.hpp"

namespace byteformer::base {

void ByteReader::throw_cut_off(std::uint64_t wanted) const {
  throw Error(ErrorCode::kInvalidFormat, source_ + ": is cut off or lies about a length: " + std::to_string(wanted) +
                                             " bytes wanted at offset " + std::to_string(position_) + ", " +
                                             std::to_string(num_left()) + " left");
}

}  // namespace byteformer::base
