// Small trainings for tests: data of two easy classes, a plan, and runs that stop and go on.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "data/survey.hpp"
#include "format/safetensors.hpp"
#include "plan/planner.hpp"
#include "support/files.hpp"
#include "support/temporary_folder.hpp"
#include "train/trainer.hpp"

namespace byteformer::train {

/// Two classes of byte strings that differ in what bytes they prefer.
class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    std::uint64_t state = 1;
    for (const char* name : {"letters", "digits"})
      for (int i = 0; i < 24; ++i) {
        std::string text;
        for (int j = 0; j < 40 + i; ++j) {
          state = state * 6364136223846793005ULL + 1442695040888963407ULL;
          text += static_cast<char>((name[0] == 'l' ? 'a' : '0') + (state >> 33) % 10);
        }
        std::filesystem::create_directories(folder_ / "data" / name);
        test::write_file(folder_ / "data" / name / ("f" + std::to_string(i)), text);
      }
    data_ = data::find_data_set(folder_ / "data", {});
    request_.data = (folder_ / "data").string();
    request_.hidden_size = 32;
    request_.heads = 2;
    request_.layers = 2;
    request_.batch_size = 8;
    request_.epochs = 4;
  }

  plan::TrainingPlan plan() const {
    plan::TrainingPlan p = plan::choose_plan(request_, data_, data::look_at(data_), {});
    plan::choose_schedule(
        request_, data_.train.size(), [] { return 1.0; }, p);
    return p;
  }

  /// Trains in `name`, stopping and starting again after every `stop_every` steps if that is not 0.
  Outcome train(const std::string& name, int stop_every = 0, TrainingEvents events = {}, int num_threads = 2) {
    RunFolder run(folder_ / name);
    const plan::TrainingPlan p = std::filesystem::exists(folder_ / name) ? run.read_plan() : plan();
    if (!std::filesystem::exists(folder_ / name)) run.create(p);
    for (;;) {
      int steps = 0;
      events.should_stop = [&] { return stop_every > 0 && ++steps == stop_every; };
      Outcome outcome = train::train(p, data_, run, {num_threads, 1}, events);
      if (outcome.is_finished) return outcome;
    }
  }

  std::vector<float> tensor(const std::string& file, const std::string& name) const {
    const format::Tensors tensors = format::read_safetensors(folder_ / file);
    return format::to_float32(tensors.by_name.at(name), name);
  }

  test::TemporaryFolder folder_;
  data::DataSet data_;
  plan::Request request_;
};

}  // namespace byteformer::train
