// Preparing files without classifying them, as C sees it.
#include "byteformer/preparer.hpp"

#include <string>

#include "capi/model.hpp"

struct bf_preparer {
  byteformer::capi::Alive<0x50525031> alive = {};
  byteformer::Preparer preparer;
  std::string form;
};

struct bf_blob {
  byteformer::capi::Alive<0x424C4231> alive = {};
  byteformer::Prepared file;
};

using namespace byteformer;
using capi::guarded_new;
using capi::needed;

bf_error* bf_preparer_load(const char* model_dir, const bf_preparer_options* options, bf_preparer** out) {
  return guarded_new(out, [&] {
    constexpr std::size_t kLeast = offsetof(bf_preparer_options, num_keys) + sizeof(bf_preparer_options::num_keys);
    const bf_preparer_options how =
        capi::read_options<bf_preparer_options>(options, BF_PREPARER_OPTIONS_INIT, kLeast, "bf_preparer_options");
    Preparer preparer = Preparer::load(&needed(model_dir, "model_dir"), capi::paths_of(how.keys, how.num_keys, "keys"));
    std::string form = preparer.form();
    return new bf_preparer{.preparer = std::move(preparer), .form = std::move(form)};
  });
}

bf_error* bf_preparer_prepare(const bf_preparer* preparer, const void* data, size_t size, bf_blob** out) {
  return guarded_new(out, [&] {
    return new bf_blob{.file = needed(preparer, "preparer").preparer.prepare(capi::bytes_of(data, size))};
  });
}

bf_error* bf_preparer_prepare_path(const bf_preparer* preparer, const char* path, bf_blob** out) {
  return guarded_new(out, [&] {
    return new bf_blob{.file =
                           needed(preparer, "preparer").preparer.prepare(std::filesystem::path(&needed(path, "path")))};
  });
}

const char* bf_preparer_form(const bf_preparer* preparer) {
  return capi::checked(preparer) == nullptr ? nullptr : preparer->form.c_str();
}

void bf_preparer_free(bf_preparer* preparer) { delete capi::checked(preparer); }

const uint8_t* bf_blob_data(const bf_blob* blob) {
  return capi::checked(blob) == nullptr ? nullptr : blob->file.bytes.data();
}

size_t bf_blob_size(const bf_blob* blob) { return capi::checked(blob) == nullptr ? 0 : blob->file.bytes.size(); }

int bf_blob_was_prepared(const bf_blob* blob) {
  return capi::checked(blob) != nullptr && blob->file.was_prepared ? 1 : 0;
}

void bf_blob_free(bf_blob* blob) { delete capi::checked(blob); }
