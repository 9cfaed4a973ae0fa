// Makes an allocation beyond a budget fail, so that a test sees memory that a file's numbers asked for.
#pragma once

#include <cstddef>

namespace byteformer::test {

/// While one lives, `operator new` throws std::bad_alloc where the memory allocated since exceeds `max_bytes`.
/// One at a time; threads share it. Link allocation_budget.cpp into the test program.
class AllocationBudget {
 public:
  explicit AllocationBudget(std::size_t max_bytes);
  ~AllocationBudget();
  AllocationBudget(const AllocationBudget&) = delete;
  AllocationBudget& operator=(const AllocationBudget&) = delete;
};

}  // namespace byteformer::test
