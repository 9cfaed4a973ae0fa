// Assertions: BF_CHECK in every build, BF_DCHECK in builds that look for mistakes.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

namespace byteformer::base {

#ifdef BYTEFORMER_DCHECKS
inline constexpr bool kDchecks = true;
#else
inline constexpr bool kDchecks = false;
#endif

namespace detail {

/// One side of a comparison that failed, for the message.
class CheckedValue {
 public:
  // NOLINTBEGIN(google-explicit-constructor): it stands for the value
  CheckedValue(std::signed_integral auto value) : kind_(Kind::kSigned), as_signed(value) {}
  CheckedValue(std::unsigned_integral auto value) : kind_(Kind::kUnsigned), as_unsigned(value) {}
  CheckedValue(std::floating_point auto value) : kind_(Kind::kReal), as_real(static_cast<double>(value)) {}
  CheckedValue(const void* value) : kind_(Kind::kPointer), as_pointer(value) {}
  // NOLINTEND(google-explicit-constructor)

  /// Writes the value as text with its zero at the end, shortened to what fits.
  void print(char* text, std::size_t size) const noexcept;

 private:
  enum class Kind { kSigned, kUnsigned, kReal, kPointer };
  Kind kind_;  // NOLINT(modernize-use-default-member-init): each constructor has another
  union {
    std::int64_t as_signed;
    std::uint64_t as_unsigned;
    double as_real;
    const void* as_pointer;
  };
};

/// Writes "byteformer: FILE:LINE: check failed: CONDITION" to standard error, and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition) noexcept;
/// The same, with the two values that were compared.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, CheckedValue left,
                               CheckedValue right) noexcept;

template <typename T>
concept Whole = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

// As mathematics compares: -1 is less than 0U.
struct Equal {
  constexpr bool operator()(auto a, auto b) const { return a == b; }
  constexpr bool operator()(Whole auto a, Whole auto b) const { return std::cmp_equal(a, b); }
};
struct Less {
  constexpr bool operator()(auto a, auto b) const { return a < b; }
  constexpr bool operator()(Whole auto a, Whole auto b) const { return std::cmp_less(a, b); }
};
struct LessEqual {
  constexpr bool operator()(auto a, auto b) const { return a <= b; }
  constexpr bool operator()(Whole auto a, Whole auto b) const { return std::cmp_less_equal(a, b); }
};

}  // namespace detail
}  // namespace byteformer::base

/// Aborts unless `condition` holds. For what must not go on even in a release: wrong input that could reach memory.
#define BF_CHECK(condition)                                                          \
  do {                                                                               \
    if (!(condition)) [[unlikely]]                                                   \
      ::byteformer::base::detail::check_failed(__FILE_NAME__, __LINE__, #condition); \
  } while (false)

/// Aborts unless `condition` holds, where BYTEFORMER_DCHECKS is defined (the presets dev, asan-ubsan and tsan).
/// Elsewhere `condition` must compile, but is not evaluated. For what a function assumes of its caller.
#define BF_DCHECK(condition)                                         \
  do {                                                               \
    if constexpr (::byteformer::base::kDchecks) BF_CHECK(condition); \
  } while (false)

/// As BF_DCHECK(a == b), (a < b), (a <= b), with both numbers or pointers in the message; signs are no trouble.
#define BF_DCHECK_EQ(a, b) BF_DCHECK_COMPARISON(Equal, "==", a, b)
#define BF_DCHECK_LT(a, b) BF_DCHECK_COMPARISON(Less, "<", a, b)
#define BF_DCHECK_LE(a, b) BF_DCHECK_COMPARISON(LessEqual, "<=", a, b)

#define BF_DCHECK_COMPARISON(Comparison, sign, a, b)                                                              \
  do {                                                                                                            \
    if constexpr (::byteformer::base::kDchecks) {                                                                 \
      const auto& bf_left = (a);                                                                                  \
      const auto& bf_right = (b);                                                                                 \
      if (!::byteformer::base::detail::Comparison()(bf_left, bf_right)) [[unlikely]]                              \
        ::byteformer::base::detail::check_failed(__FILE_NAME__, __LINE__, #a " " sign " " #b, bf_left, bf_right); \
    }                                                                                                             \
  } while (false)
