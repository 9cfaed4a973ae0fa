// Chooses what a person did not say: encoding, kernel, sizes, batch, augmentation, schedule; and says why.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/data_set.hpp"
#include "data/survey.hpp"
#include "plan/plan.hpp"
#include "plan/settings.hpp"

namespace byteformer::plan {

/// Where training will run.
struct Machine {
  bool has_cuda = false;
  int num_threads = 1;
  std::filesystem::path shipped_models{};  ///< a folder of models to start from; empty: none
};

/// \param name of the data, for the message
/// \throws Error kInvalidArgument where there is nothing to learn from: no training files, or one class.
void require_trainable(const data::DataSet& data, const std::string& name);

/// Everything but the length of the schedule.
/// \throws Error kInvalidArgument for options that contradict each other or the data.
TrainingPlan choose_plan(const Request& request, const data::DataSet& data, const data::Survey& survey,
                         const Machine& machine);

/// Sets the schedule: from --steps, --epochs, or from the time budget and what a step takes here.
/// \param num_files    to train on
/// \param step_seconds called only if needed; empty: nothing here can tell, so the plan says so and has the most epochs
void choose_schedule(const Request& request, std::size_t num_files, const std::function<double()>& step_seconds,
                     TrainingPlan& plan);

/// What a person should know of the data before the plan: how many files of what, and what is odd; a line each.
std::vector<std::string> data_lines(const data::DataSet& data);

using Say = std::function<void(const std::string& line)>;
/// Seconds of a step by this plan.
using StepTimer = std::function<double(const TrainingPlan&, const data::DataSet&)>;

/// Finds the data that `request` names, into `data`, says what they are, looks at files and plans.
/// \param time_step empty: nothing here can; see choose_schedule()
/// \throws Error as data::find_data_set(), require_trainable(), choose_plan()
TrainingPlan plan_for_data(const Request& request, const Machine& machine, const Say& say, const StepTimer& time_step,
                           data::DataSet& data);

// Parts of these that another planner needs, too.

/// Sets device and precision. \throws Error kInvalidArgument for what the machine does not have.
void choose_device(const Request& request, const Machine& machine, TrainingPlan& plan);

/// Sets what neither data nor machine change.
void take_settings(const Request& request, TrainingPlan& plan);

/// Decides how the weights start where that is "auto"; files and model are chosen.
/// \throws Error kInvalidArgument for a filter bank where bytes are no numbers.
void choose_initialisation(TrainingPlan& plan);

/// How the data of a plan with settings split.
data::DataSetOptions split_options(const TrainingPlan& plan);

/// Whether files are taken as they are, whatever they hold, since it is asked for or what training starts from does so.
bool takes_bytes(const Request& request, const TrainingPlan& plan);

/// Sets `plan.preprocess` and `plan.max_bytes`. \throws Error kInvalidArgument
void choose_preprocess(const Request& request, const data::Survey& survey, TrainingPlan& plan);

/// Sets `plan.config`; `plan.preprocess` is set. \throws Error kInvalidArgument
void choose_model(const Request& request, const data::DataSet& data, const data::Survey& survey, TrainingPlan& plan);

/// Decides how training files are changed; files and model are chosen.
void choose_augmentation(const Request& request, const data::DataSet& data, TrainingPlan& plan);

/// Changes pictures more where that is asked for, or each is seen so often that it has to look different each time; the
/// schedule is set.
void strengthen_augmentation(const Request& request, TrainingPlan& plan);

/// Lays no noise under sounds where `data` have no recordings of it, and says so.
void leave_out_missing_noise(const data::DataSet& data, TrainingPlan& plan);

/// Puts the format of --encode into the part of `plan.preprocess` that it belongs to.
/// \throws Error kInvalidArgument if there is no such part.
void apply_format(const Request& request, TrainingPlan& plan);

/// The sizes of the preset (or of `preset`, if none is asked for), and over them what is asked for one by one.
/// \throws Error kInvalidArgument for an unknown preset.
void apply_sizes(const Request& request, const std::string& preset, format::PartialConfig& config);

/// Sets `plan.config` to that of the model that training starts from.
/// \throws Error kInvalidArgument naming what `request` asks for and that model has otherwise.
void take_initial_model(const Request& request, TrainingPlan& plan);

/// Adds classes and `plan.preprocess` to `plan.config`, checks it and describes it.
void complete_model(const std::vector<std::string>& classes, TrainingPlan& plan);

}  // namespace byteformer::plan
