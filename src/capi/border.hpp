// What every function at the C border shares: exceptions become errors, handles are alive, structs grow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "base/check.hpp"
#include "base/text.hpp"
#include "byteformer.h"
#include "byteformer/error.hpp"

namespace byteformer::capi {

/// In a handle: tells one that is alive from one that was freed, where builds check.
template <std::uint32_t kMark>
class Alive {
 public:
  ~Alive() { *const_cast<volatile std::uint32_t*>(&mark_) = 0; }
  bool is_alive() const noexcept { return mark_ == kMark; }

 private:
  std::uint32_t mark_ = kMark;
};

/// The same handle, or nothing for none.
template <typename Handle>
Handle* checked(Handle* handle) noexcept {
  if (handle != nullptr) BF_DCHECK(handle->alive.is_alive());  // else it was freed, or never was one
  return handle;
}

/// \param what  the argument's name
template <typename T>
T& needed(T* argument, const char* what) {
  if (argument == nullptr) base::fail(ErrorCode::kInvalidArgument, what, " is NULL");
  if constexpr (requires { argument->alive; }) checked(argument);
  return *argument;
}

bf_error* make_error(const Error& error) noexcept;
bf_error* make_error(int code, const char* message) noexcept;
/// Needs no memory.
bf_error* out_of_memory() noexcept;

/// Runs `action`; whatever it throws becomes the error.
template <typename Action>
bf_error* guarded(const Action& action) noexcept {
  try {
    action();
    return nullptr;
  } catch (const Error& error) {
    return make_error(error);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::filesystem::filesystem_error& error) {
    return make_error(BF_IO, error.what());
  } catch (const std::system_error&) {
    return make_error(BF_UNSUPPORTED, "the system gives this process no more threads");
  } catch (const std::exception& error) {
    return make_error(BF_INTERNAL, error.what());
  } catch (...) {
    return make_error(BF_INTERNAL, "an exception of an unknown kind");
  }
}

/// guarded() for what makes a handle: *out is NULL unless `make` returned one.
template <typename Handle, typename Make>
bf_error* guarded_new(Handle** out, const Make& make) noexcept {
  return guarded([&] {
    needed(out, "out") = nullptr;
    *out = make();
  });
}

/// Refuses a number of things that no array has, before memory is asked for it.
/// \param num_bytes  of one
inline void check_count(std::size_t count, std::size_t num_bytes, const char* name) {
  if (count > static_cast<std::size_t>(PTRDIFF_MAX) / num_bytes)
    base::fail(ErrorCode::kInvalidArgument, "the number of ", name, " is ", count, ", more than any memory holds");
}

// Structs that begin with struct_size.

/// No struct will ever be so large: a size beyond is one that nobody set.
inline constexpr std::size_t kMostStructBytes = 4096;

/// Refuses sizes that no version of a struct has.
/// \param least  bytes of its first version
inline void check_struct_size(std::size_t size, std::size_t least, const char* name) {
  if (size < least || size > kMostStructBytes)
    base::fail(ErrorCode::kInvalidArgument, "struct_size of ", name, " is ", size, "; set it to sizeof(", name, ')');
}

/// What the caller gave of an options struct, and the defaults for the rest.
/// \param given  may be null: all defaults
/// \param options  the defaults
template <typename Options>
Options read_options(const Options* given, Options options, std::size_t least, const char* name) {
  if (given == nullptr) return options;
  const std::size_t size = given->struct_size;
  check_struct_size(size, least, name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(Options); i < size; ++i)
    if (bytes[i] != 0)
      base::fail(ErrorCode::kUnsupported, name, " has a member set that this version of the library does not know");
  std::memcpy(&options, given, std::min(size, sizeof(Options)));
  return options;
}

/// An array of structs of the caller's size, for results.
template <typename Struct>
class StructArray {
 public:
  StructArray(Struct* first, std::size_t count, std::size_t least, const char* name) : first_(first), count_(count) {
    if (count == 0) return;
    distance_ = needed(first, name).struct_size;
    check_struct_size(distance_, least, name);
    if (distance_ % alignof(Struct) != 0)
      base::fail(ErrorCode::kInvalidArgument, "struct_size of ", name, " is ", distance_, ", which aligns nothing");
    check_count(count, distance_, name);
    for (std::size_t i = 0; i < count; ++i)
      if ((*this)[i].struct_size != distance_)
        base::fail(ErrorCode::kInvalidArgument, "struct_size of ", name, " number ", i, " is ", (*this)[i].struct_size,
                   ", that of the first ", distance_);
  }

  std::size_t size() const noexcept { return count_; }
  Struct& operator[](std::size_t i) const noexcept {
    BF_DCHECK_LT(i, count_);
    return *reinterpret_cast<Struct*>(reinterpret_cast<unsigned char*>(first_) + i * distance_);
  }

 private:
  Struct* first_;
  std::size_t count_;
  std::size_t distance_ = 0;
};

}  // namespace byteformer::capi
