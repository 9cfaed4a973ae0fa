// Expectations about byteformer::Error: its code and what its message must name.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

#include "byteformer/error.hpp"

namespace byteformer::test {

/// Runs `action`, which must throw Error with `code` and a message that contains every one of `parts`.
template <typename Action>
void expect_error(ErrorCode code, std::initializer_list<std::string_view> parts, Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.what();
    for (const std::string_view part : parts) EXPECT_THAT(error.what(), testing::HasSubstr(std::string(part)));
    return;
  }
  ADD_FAILURE() << "no error, expected " << to_string(code);
}

/// The same of an Error whose subject is `subject`.
template <typename Action>
void expect_error_about(std::string_view subject, ErrorCode code, std::initializer_list<std::string_view> parts,
                        Action action) {
  expect_error(code, parts, [&] {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.subject(), subject);
      throw;
    }
  });
}

}  // namespace byteformer::test
