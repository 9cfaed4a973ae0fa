// Counts answers: accuracy, confusion, calibration.
#include "data/metrics.hpp"

#include <algorithm>
#include <cmath>

namespace byteformer::data {
namespace {

constexpr std::size_t kCalibrationBins = 15;

/// -log softmax(logits / temperature)[label]
double cross_entropy(std::span<const float> logits, int label, double temperature) {
  const double top = *std::ranges::max_element(logits) / temperature;
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit / temperature - top);
  return top + std::log(sum) - logits[static_cast<std::size_t>(label)] / temperature;
}

double mean_cross_entropy(const Answers& answers, double temperature) {
  double sum = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) sum += cross_entropy(answers.of(i), answers.labels[i], temperature);
  return sum / static_cast<double>(answers.size());
}

double calibration_error(const Answers& answers, double temperature) {
  double count[kCalibrationBins] = {}, confidence[kCalibrationBins] = {}, correct[kCalibrationBins] = {};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto best = static_cast<std::size_t>(best_class(answers.of(i)));
    const double score = softmax(answers.of(i), temperature)[best];
    const auto bin = std::min(kCalibrationBins - 1, static_cast<std::size_t>(score * kCalibrationBins));
    ++count[bin];
    confidence[bin] += score;
    correct[bin] += answers.labels[i] == static_cast<int>(best) ? 1 : 0;
  }
  double error = 0;
  for (std::size_t bin = 0; bin < kCalibrationBins; ++bin) error += std::abs(confidence[bin] - correct[bin]);
  return error / static_cast<double>(answers.size());
}

/// How many classes have a larger logit, or an equal one and a smaller index.
std::size_t rank_of(std::span<const float> logits, std::size_t label) {
  std::size_t rank = 0;
  for (std::size_t c = 0; c < logits.size(); ++c)
    if (logits[c] > logits[label] || (logits[c] == logits[label] && c < label)) ++rank;
  return rank;
}

void finish_classes(Metrics& metrics) {
  for (std::size_t c = 0; c < metrics.per_class.size(); ++c) {
    ClassMetrics& one = metrics.per_class[c];
    std::int64_t answered = 0;
    for (const auto& row : metrics.confusion) answered += row[c];
    const auto right = static_cast<double>(metrics.confusion[c][c]);
    if (one.samples > 0) one.recall = right / static_cast<double>(one.samples);
    if (answered > 0) one.precision = right / static_cast<double>(answered);
  }
}

}  // namespace

int best_class(std::span<const float> logits) noexcept {
  return static_cast<int>(std::ranges::max_element(logits) - logits.begin());
}

std::vector<double> softmax(std::span<const float> logits, double temperature) {
  const double top = *std::ranges::max_element(logits) / temperature;
  std::vector<double> scores;
  double sum = 0;
  for (const float logit : logits) sum += scores.emplace_back(std::exp(logit / temperature - top));
  for (double& score : scores) score /= sum;
  return scores;
}

Metrics measure(const Answers& answers, double temperature) {
  Metrics metrics;
  metrics.samples = static_cast<std::int64_t>(answers.size());
  metrics.per_class.resize(answers.num_classes);
  metrics.confusion.assign(answers.num_classes, std::vector<std::int64_t>(answers.num_classes));
  if (answers.size() == 0) return metrics;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto label = static_cast<std::size_t>(answers.labels[i]);
    const std::size_t rank = rank_of(answers.of(i), label);
    metrics.top1 += rank == 0 ? 1 : 0;
    metrics.top5 += rank < 5 ? 1 : 0;
    ++metrics.per_class[label].samples;
    ++metrics.confusion[label][static_cast<std::size_t>(best_class(answers.of(i)))];
  }
  metrics.top1 /= static_cast<double>(metrics.samples);
  metrics.top5 /= static_cast<double>(metrics.samples);
  metrics.loss = mean_cross_entropy(answers, 1);
  metrics.calibration_error = calibration_error(answers, temperature);
  finish_classes(metrics);
  return metrics;
}

bool only_guesses(const Metrics& metrics) {
  if (metrics.samples == 0) return false;
  const auto count = static_cast<double>(metrics.samples);
  double entropy = 0, largest = 0;
  for (const ClassMetrics& one : metrics.per_class) {
    if (one.samples == 0) continue;
    const double share = static_cast<double>(one.samples) / count;
    entropy -= share * std::log(share);
    largest = std::max(largest, share);
  }
  constexpr double kClearlyLess = 0.98;
  const double luck = 2 * std::sqrt(largest * (1 - largest) / count);
  return metrics.loss >= kClearlyLess * entropy && metrics.top1 <= largest + luck;
}

double fit_temperature(const Answers& answers) {
  if (answers.size() == 0) return 1;
  // The mean cross entropy has one minimum in log temperature: golden-section search.
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(0.05), high = std::log(20.0);
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double at_a = mean_cross_entropy(answers, std::exp(a)), at_b = mean_cross_entropy(answers, std::exp(b));
  while (high - low > 1e-4) {
    if (at_a < at_b) {
      high = b, b = a, at_b = at_a;
      a = high - kGolden * (high - low);
      at_a = mean_cross_entropy(answers, std::exp(a));
    } else {
      low = a, a = b, at_a = at_b;
      b = low + kGolden * (high - low);
      at_b = mean_cross_entropy(answers, std::exp(b));
    }
  }
  return std::exp((low + high) / 2);
}

}  // namespace byteformer::data
