// oneDNN's side of the benchmarks, the library under PyTorch's convolutions, by itself: a process that answers JSON lines on
// its input with JSON lines on its output, as pytorch.py does. Products, dense layers and convolutions, one direction each.
//
// Variants: layouts that the caller has (rows; NHWC), weights brought into the library's own inside the time where it wants
// that; and its own layouts everywhere, the primitive alone. Winograd where the version still has it (before 3.2).

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#if DNNL_VERSION_MAJOR < 3
#error "the interface of oneDNN 3 is needed"
#endif

using namespace dnnl;
using dims = memory::dims;
using tag = memory::format_tag;
using Run = std::function<void()>;
using Variants = std::map<std::string, Run>;

static const engine cpu(engine::kind::cpu, 0);
static stream queue(cpu);

/// A line of JSON whose keys all differ, whatever object they are in.
struct Request {
  std::string text;

  std::string after(const std::string& key) const {
    const auto at = text.find('"' + key + "\":");
    return at == std::string::npos ? "" : text.substr(at + key.size() + 3);
  }
  bool has(const std::string& key) const { return !after(key).empty(); }
  double number(const std::string& key) const { return std::strtod(after(key).c_str(), nullptr); }
  std::string word(const std::string& key) const {
    const auto rest = after(key);
    return rest.empty() || rest[0] != '"' ? "" : rest.substr(1, rest.find('"', 1) - 1);
  }
};

memory::desc in(const dims& shape, tag layout) { return {shape, memory::data_type::f32, layout}; }

/// Numbers in [-0.5, 0.5) in whatever layout.
memory filled(const memory::desc& layout) {
  const auto shape = layout.get_dims();
  dims strides(shape.size(), 1);
  for (size_t axis = shape.size() - 1; axis > 0; axis--) strides[axis - 1] = strides[axis] * shape[axis];
  memory rows({shape, memory::data_type::f32, strides}, cpu), target(layout, cpu);
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> number(-0.5f, 0.5f);
  auto* values = static_cast<float*>(rows.get_data_handle());
  std::generate(values, values + rows.get_desc().get_size() / sizeof(float), [&] { return number(random); });
  reorder(rows, target).execute(queue, rows, target);
  queue.wait();
  return target;
}

Run running(const primitive& operation, const std::unordered_map<int, memory>& arguments) {
  return [=] { operation.execute(queue, arguments); };
}

/// Moves `from` to `to` before or after, if their layouts differ at all.
Run moving(const memory& from, const memory& to) {
  const reorder move(from, to);
  return [=]() mutable { reorder(move).execute(queue, const_cast<memory&>(from), const_cast<memory&>(to)); };
}

Run both(const Run& first, const Run& second) {
  return [=] {
    first();
    second();
  };
}

Run product(const memory::desc& a, const memory::desc& b, const memory::desc& bias, const dims& result) {
  const auto c = in(result, tag::ab);
  const auto plan = bias.is_zero() ? matmul::primitive_desc(cpu, a, b, c) : matmul::primitive_desc(cpu, a, b, bias, c);
  std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, filled(plan.src_desc())},
                                            {DNNL_ARG_WEIGHTS, filled(plan.weights_desc())},
                                            {DNNL_ARG_DST, memory(plan.dst_desc(), cpu)}};
  if (!bias.is_zero()) arguments.insert({DNNL_ARG_BIAS, filled(bias)});
  return running(matmul(plan), arguments);
}

Variants products(const Request& request) {
  if (request.word("op") == "matmul") {
    const dims square(2, static_cast<memory::dim>(request.number("size")));
    return {{"rows", product(in(square, tag::ab), in(square, tag::ab), {}, square)}};
  }
  const memory::dim batch = request.number("batch"), inputs = request.number("inputs"), units = request.number("units");
  const auto direction = request.word("direction");
  if (direction == "weight") {
    return {{"rows", product(in({inputs, batch}, tag::ba), in({batch, units}, tag::ab), {}, {inputs, units})}};
  }
  Variants variants;
  for (const bool own : {false, true}) {
    const auto name = own ? "own layouts" : "rows";
    if (direction == "forward") {
      const auto weight = in({inputs, units}, own ? tag::any : tag::ab), bias = in({1, units}, tag::ab);
      variants[name] = product(in({batch, inputs}, tag::ab), weight, bias, {batch, units});
    } else {
      const auto weight = in({units, inputs}, own ? tag::any : tag::ba);
      variants[name] = product(in({batch, units}, tag::ab), weight, {}, {batch, inputs});
    }
  }
  return variants;
}

struct Convolution {
  dims x, weight, bias, y, strides, padding;
  std::string direction;

  explicit Convolution(const Request& request) : direction(request.word("direction")) {
    const memory::dim batch = request.number("batch"), size = request.number("size");
    const memory::dim channels = request.number("channels"), filters = request.number("filters");
    const memory::dim kernel = request.number("kernel"), stride = request.number("stride");
    const memory::dim pad = (kernel - 1) / 2, out = (size + 2 * pad - kernel) / stride + 1;
    x = {batch, channels, size, size};
    weight = {filters, channels, kernel, kernel};
    bias = {filters};
    y = {batch, filters, out, out};
    strides = {stride, stride};
    padding = {pad, pad};
  }

  Run with(bool own, algorithm how) const {
    const auto layout = own ? tag::any : tag::nhwc;
    const auto xs = in(x, layout), ys = in(y, layout), weights = in(weight, tag::any), biases = in(bias, tag::a);
    const auto plan = convolution_forward::primitive_desc(cpu, prop_kind::forward_training, how, xs, weights, biases, ys,
                                                          strides, padding, padding);
    if (direction == "forward") {
      const memory wanted = filled(plan.weights_desc());
      const auto run = running(convolution_forward(plan), {{DNNL_ARG_SRC, filled(plan.src_desc())},
                                                           {DNNL_ARG_WEIGHTS, wanted},
                                                           {DNNL_ARG_BIAS, filled(plan.bias_desc())},
                                                           {DNNL_ARG_DST, memory(plan.dst_desc(), cpu)}});
      return own ? run : both(moving(filled(in(weight, tag::hwio)), wanted), run);
    }
    if (direction == "input") {
      const convolution_backward_data::primitive_desc back(cpu, how, xs, weights, ys, strides, padding, padding, plan);
      const memory wanted = filled(back.weights_desc());
      const auto run = running(convolution_backward_data(back), {{DNNL_ARG_DIFF_DST, filled(back.diff_dst_desc())},
                                                                 {DNNL_ARG_WEIGHTS, wanted},
                                                                 {DNNL_ARG_DIFF_SRC, memory(back.diff_src_desc(), cpu)}});
      return own ? run : both(moving(filled(in(weight, tag::hwio)), wanted), run);
    }
    const convolution_backward_weights::primitive_desc back(cpu, how, xs, weights, ys, strides, padding, padding, plan);
    const memory made(back.diff_weights_desc(), cpu);
    const auto run = running(convolution_backward_weights(back), {{DNNL_ARG_SRC, filled(back.src_desc())},
                                                                  {DNNL_ARG_DIFF_DST, filled(back.diff_dst_desc())},
                                                                  {DNNL_ARG_DIFF_WEIGHTS, made}});
    return own ? run : both(run, moving(made, memory(in(weight, tag::hwio), cpu)));
  }
};

Variants convolutions(const Request& request) {
  const Convolution convolution(request);
  if (convolution.direction == "all") throw std::runtime_error("has no graph: the directions stand by themselves");
  Variants variants;
  for (const bool own : {false, true}) {
    for (const bool winograd : {false, true}) {
      const auto how = winograd ? algorithm::convolution_winograd : algorithm::convolution_direct;
      try {
        variants[std::string(own ? "own layouts" : "NHWC") + (winograd ? ", Winograd" : "")] = convolution.with(own, how);
      } catch (const error& missing) {
        if (missing.status != dnnl_unimplemented) throw;
      }
    }
  }
  return variants;
}

Variants variants_of(const Request& request) {
  const auto op = request.word("op");
  if (op == "matmul" || op == "dense") return products(request);
  if (op == "conv2d") return convolutions(request);
  throw std::runtime_error("products and convolutions only: the rest takes a framework");
}

/// The best of the chunks of 20 ms or one run that fit in `seconds`, per run: what benny does for the others.
double best_time(const Run& run, double seconds) {
  using clock = std::chrono::steady_clock;
  const auto since = [](clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); };
  double best = std::numeric_limits<double>::infinity();
  const auto start = clock::now();
  do {
    const auto chunk = clock::now();
    int count = 0;
    do {
      run();
      queue.wait();
      count++;
    } while (since(chunk) < 0.02);
    best = std::min(best, since(chunk) / count);
  } while (since(start) < seconds);
  return best;
}

std::string sample(const Variants& variants, double seconds) {
  double best = std::numeric_limits<double>::infinity();
  std::string all;
  for (const auto& [name, run] : variants) {
    const double time = best_time(run, seconds / variants.size());
    best = std::min(best, time);
    all += (all.empty() ? "\"" : ",\"") + name + "\":" + std::to_string(time * 1e9) + "e-9";
  }
  return "{\"seconds\":" + std::to_string(best * 1e9) + "e-9,\"variants\":{" + all + "}}";
}

int main() {
  const auto* version = dnnl_version();
  std::cout << "{\"version\":\"" << version->major << '.' << version->minor << '.' << version->patch << "\"}" << std::endl;
  std::map<std::string, Variants> prepared;
  for (Request request; std::getline(std::cin, request.text);) {
    std::string reply = "{\"ok\":true}";
    try {
      if (request.has("prepare")) {
        auto variants = variants_of(request);
        for (const auto& [name, run] : variants) run();
        queue.wait();
        prepared[request.word("prepare")] = std::move(variants);
      } else if (request.has("release")) {
        prepared.erase(request.word("release"));
      } else {
        reply = sample(prepared.at(request.word("sample")), request.number("seconds"));
      }
    } catch (const std::exception& problem) {
      reply = std::string("{\"cannot\":\"") + problem.what() + "\"}";
    }
    std::cout << reply << std::endl;
  }
}
