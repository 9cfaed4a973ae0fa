// Each operator as a plain loop over tensors of doubles.
#include "support/onnx_interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string>

#include "onnx.pb.h"

namespace byteformer::test {
namespace {

struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<double> data;
  bool is_integer = false;

  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
  std::int64_t size_from(std::int64_t axis, std::int64_t end) const {
    return std::accumulate(shape.begin() + axis, shape.begin() + end, std::int64_t{1}, std::multiplies<>());
  }
  std::int64_t num_elements() const { return size_from(0, rank()); }
  std::int64_t integer(std::size_t i = 0) const { return static_cast<std::int64_t>(data.at(i)); }
};

/// Index of the element of `x` that element `index` of the broadcast `shape` meets.
std::int64_t broadcast_index(const Tensor& x, const std::vector<std::int64_t>& shape, std::int64_t index) {
  std::int64_t at = 0, step = 1;
  for (std::size_t axis = shape.size(), own = x.shape.size(); own > 0; --axis, --own) {
    const std::int64_t coordinate = index % shape[axis - 1];
    index /= shape[axis - 1];
    if (x.shape[own - 1] > 1) at += coordinate * step;
    step *= x.shape[own - 1];
  }
  return at;
}

std::vector<std::int64_t> broadcast_shape(std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
  if (a.size() < b.size()) std::swap(a, b);
  for (std::size_t i = 0; i < b.size(); ++i) {
    std::int64_t& size = a[a.size() - 1 - i];
    const std::int64_t other = b[b.size() - 1 - i];
    if (size != other && size != 1 && other != 1) throw std::runtime_error("shapes do not fit");
    size = size == 1 ? other : size;
  }
  return a;
}

template <typename Function>
Tensor elementwise(const Tensor& a, const Tensor& b, const Function& function) {
  Tensor y{broadcast_shape(a.shape, b.shape), {}, a.is_integer && b.is_integer};
  for (std::int64_t i = 0; i < y.num_elements(); ++i)
    y.data.push_back(function(a.data[static_cast<std::size_t>(broadcast_index(a, y.shape, i))],
                              b.data[static_cast<std::size_t>(broadcast_index(b, y.shape, i))]));
  return y;
}

template <typename Function>
Tensor elementwise(Tensor x, const Function& function) {
  for (double& value : x.data) value = function(value);
  return x;
}

Tensor transpose(const Tensor& x, const std::vector<std::int64_t>& order) {
  Tensor y{{}, {}, x.is_integer};
  std::vector<std::int64_t> steps;
  for (const std::int64_t axis : order) {
    y.shape.push_back(x.shape[static_cast<std::size_t>(axis)]);
    steps.push_back(x.size_from(axis + 1, x.rank()));
  }
  for (std::int64_t i = 0; i < x.num_elements(); ++i) {
    std::int64_t rest = i, from = 0;
    for (std::size_t axis = order.size(); axis-- > 0; rest /= y.shape[axis]) from += rest % y.shape[axis] * steps[axis];
    y.data.push_back(x.data[static_cast<std::size_t>(from)]);
  }
  return y;
}

Tensor concat(const std::vector<Tensor>& parts, std::int64_t axis) {
  Tensor y = parts.front();
  y.data.clear();
  auto& size = y.shape[static_cast<std::size_t>(axis)] = 0;
  for (const Tensor& part : parts) size += part.shape[static_cast<std::size_t>(axis)];
  for (std::int64_t outer = 0; outer < y.size_from(0, axis); ++outer)
    for (const Tensor& part : parts) {
      const std::int64_t block = part.size_from(axis, part.rank());
      y.data.insert(y.data.end(), part.data.begin() + outer * block, part.data.begin() + (outer + 1) * block);
    }
  return y;
}

Tensor slice(const Tensor& x, std::int64_t begin, std::int64_t end, std::int64_t axis) {
  const std::int64_t size = x.shape[static_cast<std::size_t>(axis)], inner = x.size_from(axis + 1, x.rank());
  begin = std::min(begin, size);
  end = std::max(begin, std::min(end, size));
  Tensor y{x.shape, {}, x.is_integer};
  y.shape[static_cast<std::size_t>(axis)] = end - begin;
  for (std::int64_t outer = 0; outer < x.size_from(0, axis); ++outer)
    y.data.insert(y.data.end(), x.data.begin() + (outer * size + begin) * inner,
                  x.data.begin() + (outer * size + end) * inner);
  return y;
}

Tensor pad(Tensor x, const Tensor& pads) {
  for (std::int64_t axis = 0; axis < x.rank(); ++axis) {
    const auto zeros = [&](std::int64_t count) {
      if (count < 0) throw std::runtime_error("a negative number of rows to pad");
      Tensor rows{x.shape, {}, x.is_integer};
      rows.shape[static_cast<std::size_t>(axis)] = count;
      rows.data.assign(static_cast<std::size_t>(rows.num_elements()), 0.0);
      return rows;
    };
    x = concat({zeros(pads.integer(static_cast<std::size_t>(axis))), x,
                zeros(pads.integer(static_cast<std::size_t>(x.rank() + axis)))},
               axis);
  }
  return x;
}

Tensor reshape(Tensor x, const Tensor& shape) {
  std::vector<std::int64_t> wanted;
  std::int64_t known = 1;
  for (std::size_t i = 0; i < shape.data.size(); ++i) {
    wanted.push_back(shape.integer(i) == 0 ? x.shape[i] : shape.integer(i));
    if (wanted.back() > 0) known *= wanted.back();
  }
  std::ranges::replace(wanted, std::int64_t{-1}, x.num_elements() / known);
  x.shape = wanted;
  if (x.num_elements() != static_cast<std::int64_t>(x.data.size())) throw std::runtime_error("a reshape does not fit");
  return x;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  const std::int64_t rows = a.shape[a.shape.size() - 2], depth = a.shape.back(), width = b.shape.back();
  Tensor heads_a{{a.shape.begin(), a.shape.end() - 2}, {}}, heads_b{{b.shape.begin(), b.shape.end() - 2}, {}};
  Tensor y{broadcast_shape(heads_a.shape, heads_b.shape), {}};
  const auto batch = y.shape;
  y.shape.insert(y.shape.end(), {rows, width});
  y.data.assign(static_cast<std::size_t>(y.num_elements()), 0.0);
  for (std::int64_t i = 0; i < y.num_elements() / (rows * width); ++i) {
    const double* from_a = a.data.data() + broadcast_index(heads_a, batch, i) * rows * depth;
    const double* from_b = b.data.data() + broadcast_index(heads_b, batch, i) * depth * width;
    double* to = y.data.data() + i * rows * width;
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t d = 0; d < depth; ++d)
        for (std::int64_t c = 0; c < width; ++c) to[r * width + c] += from_a[r * depth + d] * from_b[d * width + c];
  }
  return y;
}

Tensor convolution(const Tensor& x, const Tensor& w, std::int64_t stride) {  // [B, C, L] and [O, C, K]
  const std::int64_t channels = w.shape[1], taps = w.shape[2], length = x.shape[2];
  Tensor y{{x.shape[0], w.shape[0], (length - taps) / stride + 1}, {}};
  for (std::int64_t i = 0; i < y.num_elements(); ++i) {
    const std::int64_t t = i % y.shape[2], out = i / y.shape[2] % y.shape[1], file = i / y.shape[2] / y.shape[1];
    double sum = 0;
    for (std::int64_t in = 0; in < channels; ++in)
      for (std::int64_t j = 0; j < taps; ++j)
        sum += x.data[static_cast<std::size_t>((file * channels + in) * length + t * stride + j)] *
               w.data[static_cast<std::size_t>((out * channels + in) * taps + j)];
    y.data.push_back(sum);
  }
  return y;
}

Tensor layer_norm(Tensor x, const Tensor& weight, const Tensor& bias, double epsilon) {
  const std::size_t n = weight.data.size();
  for (std::size_t at = 0; at < x.data.size(); at += n) {
    const auto row = std::span(x.data).subspan(at, n);
    const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(n);
    double variance = 0;
    for (const double v : row) variance += (v - mean) * (v - mean) / static_cast<double>(n);
    for (std::size_t c = 0; c < n; ++c)
      row[c] = (row[c] - mean) / std::sqrt(variance + epsilon) * weight.data[c] + bias.data[c];
  }
  return x;
}

Tensor softmax(Tensor x) {
  const auto n = static_cast<std::size_t>(x.shape.back());
  for (std::size_t at = 0; at < x.data.size(); at += n) {
    const auto row = std::span(x.data).subspan(at, n);
    const double largest = *std::ranges::max_element(row);
    double sum = 0;
    for (double& v : row) sum += v = largest > -INFINITY ? std::exp(v - largest) : 1;
    for (double& v : row) v /= sum;
  }
  return x;
}

Tensor mean_of_rows(const Tensor& x) {  // [B, N, C] to [B, C]
  Tensor y{{x.shape[0], x.shape[2]}, std::vector<double>(static_cast<std::size_t>(x.shape[0] * x.shape[2]))};
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % x.shape[2];
    const auto file = static_cast<std::int64_t>(i) / x.shape[2] / x.shape[1];
    y.data[static_cast<std::size_t>(file * x.shape[2] + c)] += x.data[i] / static_cast<double>(x.shape[1]);
  }
  return y;
}

Tensor gather(const Tensor& table, const Tensor& ids) {
  const auto columns = static_cast<std::size_t>(table.shape[1]);
  Tensor y{ids.shape, {}};
  y.shape.push_back(table.shape[1]);
  for (const double id : ids.data)
    for (std::size_t c = 0; c < columns; ++c) y.data.push_back(table.data[static_cast<std::size_t>(id) * columns + c]);
  return y;
}

Tensor squeeze(Tensor x, const Tensor* axis) {
  if (axis != nullptr) {
    x.shape.erase(x.shape.begin() + axis->integer());
  } else {
    std::erase(x.shape, 1);
  }
  return x;
}

Tensor tensor_of(const onnx::Tensor& message) {
  Tensor tensor{{message.dims().begin(), message.dims().end()}, {}, message.data_type() == onnx::Tensor::INT64};
  const auto read = [&]<typename T>(T) {
    std::vector<T> values(message.raw_data().size() / sizeof(T));
    std::memcpy(values.data(), message.raw_data().data(), message.raw_data().size());
    tensor.data.assign(values.begin(), values.end());
  };
  tensor.is_integer ? read(std::int64_t{}) : read(float{});
  return tensor;
}

Tensor compute(const onnx::Node& node, const std::vector<Tensor>& in) {
  std::map<std::string, onnx::Attribute> attributes;
  for (const onnx::Attribute& attribute : node.attribute()) attributes[attribute.name()] = attribute;
  const auto integers = [&](const char* name) {
    const auto& values = attributes.at(name).ints();
    return std::vector<std::int64_t>(values.begin(), values.end());
  };
  const std::string& op = node.op_type();
  if (op == "Add") return elementwise(in[0], in[1], std::plus<>());
  if (op == "And") return elementwise(in[0], in[1], std::multiplies<>());
  if (op == "Cast") {
    Tensor x = in[0];
    x.is_integer = attributes.at("to").i() == onnx::Tensor::INT64;
    return x;
  }
  if (op == "Concat") return concat(in, attributes.at("axis").i());
  if (op == "Conv") return convolution(in[0], in[1], integers("strides").front());
  if (op == "Cos") return elementwise(in[0], [](double x) { return std::cos(x); });
  if (op == "Div") {
    const bool rounds = in[0].is_integer;
    return elementwise(in[0], in[1], [&](double a, double b) { return rounds ? std::trunc(a / b) : a / b; });
  }
  if (op == "Erf") return elementwise(in[0], [](double x) { return std::erf(x); });
  if (op == "Gather") return gather(in[0], in[1]);
  if (op == "GreaterOrEqual") return elementwise(in[0], in[1], std::greater_equal<>());
  if (op == "Identity") return in[0];
  if (op == "LayerNormalization")
    return layer_norm(in[0], in[1], in[2], static_cast<double>(attributes.at("epsilon").f()));
  if (op == "Less") return elementwise(in[0], in[1], std::less<>());
  if (op == "MatMul") return matmul(in[0], in[1]);
  if (op == "Max") return elementwise(in[0], in[1], [](double a, double b) { return std::max(a, b); });
  if (op == "Mul") return elementwise(in[0], in[1], std::multiplies<>());
  if (op == "Pad") return pad(in[0], in[1]);
  if (op == "Range") {
    Tensor y{{std::max<std::int64_t>(0, in[1].integer() - in[0].integer())}, {}, true};
    for (std::int64_t i = 0; i < y.shape[0]; ++i) y.data.push_back(static_cast<double>(in[0].integer() + i));
    return y;
  }
  if (op == "ReduceMean") return mean_of_rows(in[0]);
  if (op == "Reshape") return reshape(in[0], in[1]);
  if (op == "Shape")
    return {{1}, {static_cast<double>(in[0].shape.at(static_cast<std::size_t>(attributes.at("start").i())))}, true};
  if (op == "Sin") return elementwise(in[0], [](double x) { return std::sin(x); });
  if (op == "Slice") {
    const double end = std::min(in[2].data[0], 1e15);  // "to the end" is the largest integer
    return slice(in[0], in[1].integer(), static_cast<std::int64_t>(end), in[3].integer());
  }
  if (op == "Softmax") return softmax(in[0]);
  if (op == "Squeeze") return squeeze(in[0], in.size() > 1 ? &in[1] : nullptr);
  if (op == "Sub") return elementwise(in[0], in[1], std::minus<>());
  if (op == "Transpose") return transpose(in[0], integers("perm"));
  if (op == "Where") {
    const Tensor yes = elementwise(in[0], in[1], [](double is, double x) { return is != 0 ? x : 0; });
    const Tensor no = elementwise(in[0], in[2], [](double is, double x) { return is != 0 ? 0 : x; });
    return elementwise(yes, no, std::plus<>());
  }
  throw std::runtime_error("no operator " + op);
}

}  // namespace

std::vector<double> run_onnx(const std::filesystem::path& path, std::span<const std::uint8_t> file) {
  onnx::Model model;
  std::ifstream stream(path, std::ios::binary);
  if (!model.ParseFromIstream(&stream)) throw std::runtime_error("not an ONNX file");
  std::map<std::string, Tensor> values;
  for (const onnx::Tensor& initializer : model.graph().initializer())
    values[initializer.name()] = tensor_of(initializer);
  values["files"] = {{1, static_cast<std::int64_t>(file.size())}, {file.begin(), file.end()}, true};
  for (const onnx::Node& node : model.graph().node()) {
    std::vector<Tensor> inputs;
    for (const std::string& name : node.input()) inputs.push_back(values.at(name));
    values[node.output(0)] = compute(node, inputs);
  }
  return values.at("logits").data;
}

}  // namespace byteformer::test
