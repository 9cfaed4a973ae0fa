// Shows the processor, its kernels and the libraries of this machine.
#include "inspect/system_summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>
#include <vector>

#include "byteformer/version.hpp"
#include "cli.hpp"
#include "kernels/kernels.hpp"
#include "kernels/reduced_kernels.hpp"
#include "output/json.hpp"
#include "output/numbers.hpp"
#include "system/machine.hpp"

namespace byteformer::cli {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}

/// Those in which this machine computes faster than in float32, and float32.
std::vector<std::string_view> precisions() {
  std::vector<std::string_view> names = {to_string(Precision::kFloat32)};
  for (const kernels::ReducedKernels* reduced : kernels::available_reduced_kernels(kernels::default_kernels()))
    if (names.back() != to_string(reduced->precision)) names.push_back(to_string(reduced->precision));
  return names;
}

std::vector<std::pair<std::string, std::string>> libraries() {
  return {{"CLI11", parser_version()},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)}};
}

}  // namespace

std::string system_text() {
  const std::string_view in_use = kernels::default_kernels().name;
  std::string instruction_sets;
  for (const kernels::Kernels* available : kernels::available_kernels())
    instruction_sets += fmt::format("{}{}{}", instruction_sets.empty() ? "" : ", ", available->name,
                                    available->name == in_use ? " (in use)" : "");
  std::string built_with = compiler();
  for (const auto& [name, version] : libraries()) built_with += fmt::format(", {} {}", name, version);
  return fmt::format(
      "byteformer         {}\n"
      "instruction sets   {}\n"
      "precisions         {}\n"
      "processor          {}\n"
      "processors to use  {}\n"
      "memory             {}\n"
      "system             {}\n"
      "built with         {}\n",
      version(), instruction_sets, fmt::join(precisions(), ", "), processor_name(), num_available_processors(),
      memory_size(physical_memory()), operating_system(), built_with);
}

std::string system_json() {
  JsonWriter json;
  json.begin_object().field("version", version());
  json.key("instruction_sets").begin_array();
  for (const kernels::Kernels* available : kernels::available_kernels()) json.value(available->name);
  json.end_array().field("instruction_set_in_use", kernels::default_kernels().name);
  json.key("precisions").begin_array();
  for (const std::string_view name : precisions()) json.value(name);
  json.end_array();
  json.field("processor", processor_name()).field("processors", num_available_processors());
  json.field("memory_bytes", physical_memory()).field("system", operating_system()).field("compiler", compiler());
  json.key("libraries").begin_object();
  for (const auto& [name, version] : libraries()) json.field(name, version);
  return json.end_object().end_object().text() + "\n";
}

}  // namespace byteformer::cli
