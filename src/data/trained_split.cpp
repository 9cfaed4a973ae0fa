// Implementation of trained_split.hpp.
#include "data/trained_split.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "base/file_io.hpp"
#include "byteformer/error.hpp"
#include "data/survey.hpp"

namespace byteformer::data {
namespace {

constexpr std::size_t kMostPlanBytes = 64 << 20;

struct TrainedSplit {
  DataSetOptions options;
  std::string fingerprint;
};

std::optional<TrainedSplit> read_trained_split(const std::filesystem::path& model_dir) {
  try {
    const nlohmann::json plan =
        nlohmann::json::parse(base::read_text_file(model_dir / "training" / "plan.json", kMostPlanBytes));
    TrainedSplit split;
    split.options.validation_fraction = plan.at("validation_fraction");
    split.options.seed = plan.at("seed");
    split.options.split_by_speaker = plan.at("split_by") != "file";
    split.fingerprint = plan.at("data_fingerprint");
    return split;
  } catch (const Error&) {  // most models come without a plan
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<DataSet> find_as_trained(const std::filesystem::path& model_dir, const std::filesystem::path& data) {
  const std::optional<TrainedSplit> split = read_trained_split(model_dir);
  if (!split) return std::nullopt;
  try {
    DataSet data_set = find_data_set(data, split->options);
    if (fingerprint(data_set, data) == split->fingerprint) return data_set;
  } catch (const Error&) {  // of one class, say: no data to train on, but perhaps to evaluate on
  }
  return std::nullopt;
}

}  // namespace byteformer::data
