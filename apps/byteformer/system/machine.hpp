// What there is to know about this machine and this process.
#pragma once

#include <cstdint>
#include <string>

namespace byteformer::cli {

std::string processor_name();         ///< as the system tells it; empty if it does not
int num_available_processors();       ///< that this process may use
std::uint64_t physical_memory();      ///< bytes
std::string operating_system();       ///< "Linux 6.1.0 x86_64"
std::uint64_t peak_resident_bytes();  ///< most physical memory that this process has had so far

}  // namespace byteformer::cli
