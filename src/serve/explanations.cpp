// What decided: heat of the bytes of a file, and of the picture or sound that they make, small enough for a page.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "byteformer/explain.hpp"
#include "format/json.hpp"
#include "prepare/medium_heat.hpp"
#include "serve/service_state.hpp"

namespace byteformer::serve {
namespace {

using base::joined;
using format::OrderedJson;

constexpr std::uint64_t kMostExplainedBytes = 1 << 18;  // an explanation holds the rows of all layers
constexpr std::uint64_t kExplainedWindows = 64;
constexpr std::size_t kHeatSegments = 256;
constexpr std::size_t kHeatCells = 32;  // of a picture, to a side

/// Heat as few numbers: the mean of each of at most kHeatSegments equal parts, of what is read.
std::vector<float> in_segments(const std::vector<float>& heat) {
  const std::size_t num_segments = std::min(kHeatSegments, heat.size());
  std::vector<float> segments;
  for (std::size_t i = 0; i < num_segments; ++i) {
    const std::size_t begin = i * heat.size() / num_segments, end = (i + 1) * heat.size() / num_segments;
    double sum = 0;
    for (std::size_t at = begin; at < end; ++at) sum += std::isnan(heat[at]) ? 0 : heat[at];
    segments.push_back(static_cast<float>(sum / static_cast<double>(end - begin)));
  }
  return segments;
}

/// The heat of a picture's blocks added up in at most kHeatCells columns and rows, and where they lie in a picture that
/// was resized and cropped.
OrderedJson picture_json(const prepare::PictureHeat& picture, const prepare::ImagePreparation* preparation) {
  const auto columns = static_cast<std::size_t>(picture.places.columns());
  const auto rows = static_cast<std::size_t>(picture.places.rows());
  const std::size_t wide = std::min(columns, kHeatCells), high = std::min(rows, kHeatCells);
  std::vector<float> cells(wide * high);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      if (const float heat = picture.heat[row * columns + column]; !std::isnan(heat))
        cells[row * high / rows * wide + column * wide / columns] += heat;
  OrderedJson json = {{"columns", wide}, {"rows", high}, {"heat", cells}, {"remark", picture.remark}};
  if (preparation != nullptr && preparation->resize) json["resize"] = *preparation->resize;
  if (preparation != nullptr && preparation->crop) json["crop"] = *preparation->crop;
  return json;
}

/// Of whichever of both the model reads, where one knows which bytes make which part of the file. A model of any bytes
/// is shown none: nothing that a client sends to it is decoded.
OrderedJson medium_json(const std::vector<std::uint8_t>& file, const prepare::Preprocess& preprocess, bool was_prepared,
                        const std::vector<float>& heat) {
  OrderedJson json = OrderedJson::object();
  if (preprocess.image)
    if (const auto picture = prepare::picture_heat(file, preprocess, heat); picture && !picture->heat.empty())
      json["picture"] = picture_json(*picture, was_prepared ? &*preprocess.image : nullptr);
  if (preprocess.sound)
    if (const auto sound = prepare::sound_heat(file, heat); sound && !sound->heat.empty())
      json["sound"] = {{"seconds", static_cast<double>(sound->sound.samples.size()) / sound->sound.sample_rate},
                       {"heat", in_segments(sound->heat)},
                       {"remark", sound->remark}};
  return json;
}

}  // namespace

/// \throws Error where the file cannot be classified.
void Service::explain_one(Request& request, const AnswerForm& form, Job& job) {
  const Slot slot(streams_, Clock::now() + duration_of(options_.timeout_s));
  const Model& model = *request.model;
  ++request.num_files;
  prepare(job);
  if (job.result) throw Error(std::get<Error>(*job.result));
  const std::vector<std::uint8_t>& file = job.file;
  if (file.size() > kMostExplainedBytes)
    throw Refusal{413, joined("an explanation is for files of which the model reads at most ", kMostExplainedBytes,
                              " bytes; this one has ", file.size())};
  const Clock::time_point start = Clock::now();
  const Occluder occluder(model.classifier, file);
  ExplainOptions how;
  how.span = std::max<std::uint64_t>(1, file.size() / kExplainedWindows);
  how.step = std::max<std::uint64_t>(1, how.span / 2);
  how.removal.keep_going = [&](std::size_t, std::size_t) { return !request.exchange.is_client_gone(); };
  const auto explanation = explain(occluder, how);
  if (!explanation) throw ClientGone{};
  const FileTimes times{.compute_s = in_seconds(Clock::now() - start)};
  request.times.add(times);
  metrics_.count_file(request.key(), file.size(), times);
  metrics_.count_batch(request.key(), 1, 0, times.compute_s);
  std::string body = describe(request, {job.source, occluder.output(), job.was_prepared}, form);
  body.pop_back();
  OrderedJson more = {{"label", model.classifier.labels()[static_cast<std::size_t>(explanation->label)]},
                      {"log_odds", explanation->value},
                      {"bytes", file.size()},
                      {"heat", in_segments(explanation->heat)}};
  if (model.preprocess.transforms.empty())  // else bytes are not where those of the picture or sound were
    more.update(medium_json(file, model.preprocess, job.was_prepared, explanation->heat));
  request.respond_json(joined(body, ",\"explanation\":", more.dump(), '}'));
}

}  // namespace byteformer::serve
