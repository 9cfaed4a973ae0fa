// The inside of a Classifier: the model, its threads, and workspaces that callers borrow.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/expected_form.hpp"
#include "base/process_local.hpp"
#include "base/thread_pool.hpp"
#include "byteformer/classifier.hpp"
#include "format/config.hpp"
#include "model/byteformer.hpp"

namespace byteformer::api {

/// Loads a model and lends its workspaces. Any number of threads may use it.
class Engine {
 public:
  Engine(const std::filesystem::path& model_dir, const LoadOptions& options);

  /// Who computes in a workspace: all threads of the engine, or the caller alone.
  enum class Threads { kAll, kOne };

  /// A workspace for one caller, given back when the lease ends: kept warm for the next one.
  class Lease {
   public:
    Lease(const Engine& engine, Threads threads)
        : engine_(engine), threads_(threads), workspace_(engine.borrow(threads)) {}
    ~Lease() { engine_.give_back(threads_, std::move(workspace_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    model::Workspace& operator*() const noexcept { return *workspace_; }

   private:
    const Engine& engine_;
    Threads threads_;
    std::unique_ptr<model::Workspace> workspace_;
  };

  /// The most bytes of workspaces that one caller comes to hold: one for all threads, and one for each of several.
  std::size_t max_workspace_bytes() const noexcept;

  const format::ModelConfig& config() const noexcept { return config_; }
  const model::ByteFormer& model() const noexcept { return *model_; }
  const ExpectedForm& form() const noexcept { return form_; }
  Masking masking() const noexcept { return masking_; }
  Precision precision() const noexcept { return precision_; }
  int num_threads() const noexcept { return pool_.num_threads(); }
  bool has_many_callers() const noexcept { return has_many_callers_; }
  const kernels::Kernels& kernels() const noexcept { return *kernels_; }
  base::ThreadPool& pool() const noexcept { return pool_; }

 private:
  /// Workspaces that wait for a caller.
  struct Idle {
    using Workspaces = std::vector<std::unique_ptr<model::Workspace>>;
    Workspaces& of(Threads threads) noexcept { return threads == Threads::kAll ? of_all : of_one; }

    std::mutex mutex;
    Workspaces of_all;  // guarded by mutex
    Workspaces of_one;  // guarded by mutex
  };

  std::unique_ptr<model::Workspace> borrow(Threads threads) const;
  void give_back(Threads threads, std::unique_ptr<model::Workspace> workspace) const noexcept;

  format::ModelConfig config_;
  ExpectedForm form_;
  Masking masking_;
  Precision precision_;
  bool has_many_callers_;
  const kernels::Kernels* kernels_;
  mutable base::ThreadPool pool_;
  mutable base::ThreadPool caller_{1};  // runs every loop on the thread that calls it
  std::unique_ptr<const model::ByteFormer> model_;
  base::ProcessLocal<Idle> idle_;
};

}  // namespace byteformer::api
