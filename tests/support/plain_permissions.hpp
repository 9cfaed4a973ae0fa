// Permission bits that count for root too, so that tests of unreadable files fail and pass alike for everyone.
#pragma once

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace byteformer::test {

/// While it lives, its thread lacks root's right to read and list what permissions deny (capabilities(7)).
class PlainPermissions {
 public:
  PlainPermissions() {
    EXPECT_EQ(::syscall(SYS_capget, &header_, before_), 0);
    __user_cap_data_struct without[2] = {before_[0], before_[1]};
    without[0].effective &= ~((1U << CAP_DAC_OVERRIDE) | (1U << CAP_DAC_READ_SEARCH));
    EXPECT_EQ(::syscall(SYS_capset, &header_, without), 0);
  }
  ~PlainPermissions() { EXPECT_EQ(::syscall(SYS_capset, &header_, before_), 0); }
  PlainPermissions(const PlainPermissions&) = delete;
  PlainPermissions& operator=(const PlainPermissions&) = delete;

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct before_[2] = {};
};

}  // namespace byteformer::test
