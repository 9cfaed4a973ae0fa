// What the C border does with structs of other versions, exceptions and handles.
#include "capi/border.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "support/errors.hpp"

namespace byteformer::capi {
namespace {

/// The options of three versions: each has a member more.
struct First {
  std::size_t struct_size;
  int a;
};
struct Second {
  std::size_t struct_size;
  int a;
  int b;
  std::int64_t c;
};
struct Third {
  std::size_t struct_size;
  int a;
  int b;
  std::int64_t c;
  std::int64_t d;
};
constexpr std::size_t kFirst = offsetof(First, a) + sizeof(First::a);

/// What a library of the second version reads.
template <typename Given>
Second read(const Given& given) {
  return read_options<Second>(reinterpret_cast<const Second*>(&given), {0, 1, 2, 3}, kFirst, "options");
}

TEST(Border, OptionsOfAnEarlierVersionHaveDefaultsForTheRest) {
  First first{kFirst, 10};
  const Second options = read(first);
  EXPECT_EQ(options.a, 10);
  EXPECT_EQ(options.b, 2);
  EXPECT_EQ(options.c, 3);
}

TEST(Border, OptionsOfALaterVersionMayNotSayWhatIsUnknown) {
  Third third{sizeof(Third), 10, 20, 30, 0};
  EXPECT_EQ(read(third).c, 30);
  third.d = 1;
  test::expect_error(ErrorCode::kUnsupported, {"does not know"}, [&] { read(third); });
}

TEST(Border, NoOptionsAreTheDefaults) {
  EXPECT_EQ(read_options<Second>(nullptr, {0, 1, 2, 3}, kFirst, "options").c, 3);
}

TEST(Border, SizesThatNoVersionHasAreRefused) {
  for (const std::size_t size : {std::size_t{0}, kFirst - 1, kMostStructBytes + 1, ~std::size_t{0}})
    test::expect_error(ErrorCode::kInvalidArgument, {"sizeof(options)"}, [&] { read(Second{size, 0, 0, 0}); });
}

TEST(Border, EveryExceptionBecomesAnError) {
  const auto code_of = [](auto exception) {
    bf_error* error = guarded([&] { throw exception; });
    const int code = bf_error_code(error);
    bf_error_free(error);
    return code;
  };
  EXPECT_EQ(guarded([] {}), nullptr);
  EXPECT_EQ(code_of(Error(ErrorCode::kTooManyTokens, "x")), BF_TOO_MANY_TOKENS);
  EXPECT_EQ(code_of(std::bad_alloc()), BF_OUT_OF_MEMORY);
  EXPECT_EQ(code_of(std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again))),
            BF_UNSUPPORTED);
  EXPECT_EQ(code_of(std::logic_error("x")), BF_INTERNAL);
  EXPECT_EQ(code_of(42), BF_INTERNAL);
}

TEST(Border, LackOfMemoryIsAnErrorThatStays) {
  bf_error* error = guarded([] { throw std::bad_alloc(); });
  bf_error_free(error);
  EXPECT_STREQ(bf_error_name(error), "out_of_memory");
  EXPECT_STREQ(bf_error_message(error), "there is not enough memory");
}

TEST(Border, ErrorsSayWhatTheyAreAbout) {
  bf_error* error = guarded([] { throw Error(ErrorCode::kNotFound, "caf\xE9", "does not exist"); });
  std::size_t size = 0;
  EXPECT_STREQ(bf_error_subject(error, &size), "caf\xE9");
  EXPECT_EQ(size, 4U);
  EXPECT_STREQ(bf_error_message(error), "caf\\xe9: does not exist");
  bf_error_free(error);
}

struct Handle {
  Alive<0x12345678> alive;
};

TEST(BorderDeathTest, AFreedHandleStopsBuildsThatCheck) {
  if (!base::kDchecks) GTEST_SKIP() << "this build does not check";
  alignas(Handle) std::byte place[sizeof(Handle)];
  Handle* handle = new (place) Handle;
  EXPECT_EQ(checked(handle), handle);
  std::destroy_at(handle);
  EXPECT_DEATH(checked(handle), "check failed");
}

}  // namespace
}  // namespace byteformer::capi
