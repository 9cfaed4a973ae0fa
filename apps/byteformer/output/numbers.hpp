// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace byteformer::cli {

/// 150668 as "150,668".
std::string grouped(std::int64_t number);

/// 23680864512 as "23.681 G": three decimals and k, M, G, T; below a thousand the number itself.
std::string scaled(double number);

/// 0.01234 as "12.34 ms": seconds in the unit that leaves one to three digits before the point.
std::string duration(double seconds);

/// 104857600 as "100.0 MiB".
std::string memory_size(std::uint64_t num_bytes);

/// "1 file", "2 files", "1,000 files".
std::string counted(std::int64_t number, const std::string& singular);

}  // namespace byteformer::cli
