// The inside of a Classifier: the model, its threads, and workspaces that callers borrow.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.hpp"
#include "byteformer/classifier.hpp"
#include "format/config.hpp"
#include "model/byteformer.hpp"

namespace byteformer::api {

/// Loads a model and lends its workspaces. Any number of threads may use it.
class Engine {
 public:
  Engine(const std::filesystem::path& model_dir, const LoadOptions& options);

  /// A workspace for one caller, given back when the lease ends: kept warm for the next one.
  class Lease {
   public:
    explicit Lease(const Engine& engine) : engine_(engine), workspace_(engine.borrow()) {}
    ~Lease() { engine_.give_back(std::move(workspace_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    model::Workspace& operator*() const noexcept { return *workspace_; }

   private:
    const Engine& engine_;
    std::unique_ptr<model::Workspace> workspace_;
  };

  const format::ModelConfig& config() const noexcept { return config_; }
  const model::ByteFormer& model() const noexcept { return *model_; }
  Masking masking() const noexcept { return masking_; }
  Precision precision() const noexcept { return precision_; }
  int num_threads() const noexcept { return pool_.num_threads(); }
  const kernels::Kernels& kernels() const noexcept { return *kernels_; }
  base::ThreadPool& pool() const noexcept { return pool_; }

 private:
  std::unique_ptr<model::Workspace> borrow() const;
  void give_back(std::unique_ptr<model::Workspace> workspace) const noexcept;

  format::ModelConfig config_;
  Masking masking_;
  Precision precision_;
  const kernels::Kernels* kernels_;
  mutable base::ThreadPool pool_;
  std::unique_ptr<const model::ByteFormer> model_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<model::Workspace>> idle_;  // guarded by mutex_
};

}  // namespace byteformer::api
