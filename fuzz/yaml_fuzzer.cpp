// The published YAML configurations, as a model to import and as a run of training.
#include "fuzzing.hpp"
#include "interop/partial_config.hpp"
#include "plan/published_plan.hpp"

using namespace byteformer;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::survive([&] { plan::parse_published_run(fuzz::as_text(data, size), "run.yaml"); });
  return fuzz::survive([&] { interop::parse_published_yaml(fuzz::as_text(data, size), "run.yaml"); });
}
