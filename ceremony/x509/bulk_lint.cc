#include "ceremony/x509/bulk_lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "ceremony/x509/bulk_inputs.h"
#include "ceremony/x509/compare.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/crl_view.h"
#include "ceremony/x509/lint_set.h"
#include "ceremony/x509/name.h"

namespace ceremony::x509 {
namespace {

// A batch is what one thread judges at a time.
constexpr std::size_t kBatchItems = 256;
constexpr std::size_t kBatchOctets = std::size_t{1} << 20;
constexpr std::size_t kBatchesAJob = 4;

// Ordinals numbers the items of all files; it names one by its number.
class Ordinals final {
 public:
  std::uint32_t Next(std::uint32_t file) {
    while (starts_.size() <= file) starts_.push_back(count_);
    return count_++;
  }
  std::string NameOf(std::uint32_t number, const std::vector<std::string>& paths) const {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), number);
    const auto file = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return fmt::format("{}[{}]", SafeText(base::AsBytes(paths[file])), number - starts_[file] + 1);
  }

 private:
  std::vector<std::uint32_t> starts_;  // of each file
  std::uint32_t count_ = 0;
};

struct Set {
  CertificateSet certificates;
  Ordinals ordinals;
};

// The first pass: what certificates must know of each other. nullptr when the
// rules between them are not asked for, or there are too many.
std::unique_ptr<Set> CollectSet(const BulkInputs& inputs, const BulkOptions& options) {
  if (options.set_rules == SetRules::kNever) return nullptr;
  auto set = std::make_unique<Set>();
  bool few = true;
  base::Bytes storage;
  std::vector<Finding> ignored;
  CertificateView view;
  const auto take = [&](std::uint32_t file, BundleItem item) {
    const std::uint32_t number = set->ordinals.Next(file);
    ignored.clear();
    const auto der = DerOf(item, storage, ignored);
    if (!der || LooksLikeCrl(*der)) return true;
    Findings findings(*der);
    if (ParseCertificate(*der, view, findings)) set->certificates.Add(view, number);
    few = options.set_rules == SetRules::kAlways || set->certificates.size() <= kMostBySelf;
    return few;
  };
  inputs.ForEachItem(take, [](std::uint32_t, const base::Error&) {});  // the second pass reports it
  if (!few) return nullptr;
  set->certificates.Seal();
  return set;
}

struct Batch {
  std::vector<std::pair<std::uint32_t, BundleItem>> items;
  std::vector<base::Bytes> storage;
  std::vector<BulkItem> results;
  std::optional<std::pair<std::uint32_t, base::Error>> unreadable;  // after the items
  std::size_t octets = 0;
  bool done = false;

  bool full() const { return items.size() >= kBatchItems || octets >= kBatchOctets; }
};

// Judge is what one thread does; it has a linter of its own.
class Judge final {
 public:
  Judge(const BulkOptions& options, const Set* set, const std::vector<std::string>& paths)
      : linter_(options.domain), options_(options), set_(set), paths_(paths) {}

  void Run(Batch& batch) {
    batch.storage.resize(batch.items.size());
    batch.results.resize(batch.items.size());
    for (std::size_t i = 0; i < batch.items.size(); ++i) {
      BulkItem& result = batch.results[i];
      const BundleItem& item = batch.items[i].second;
      result.file = batch.items[i].first;
      result.index = item.index;
      result.offset = item.offset;
      if (const auto der = DerOf(item, batch.storage[i], result.findings)) One(*der, item.label, result);
    }
  }

 private:
  void One(base::ByteView der, const std::string& label, BulkItem& result) {
    Findings findings(der);
    if (label == "X509 CRL" || (label.empty() && LooksLikeCrl(der))) {
      result.kind = BulkItem::Kind::kCrl;
      if (ParseCrl(der, crl_, findings)) {
        result.issuer = crl_.tbs.issuer;
        result.date = crl_.tbs.this_update.seconds;
      }
      return Append(LintCrl(der), result);
    }
    if (linter_.CheckCertificate(der, view_, findings)) {
      result.kind = BulkItem::Kind::kCertificate;
      result.issuer = view_.tbs.issuer;
      result.date = view_.tbs.not_before.seconds;
      if (set_ != nullptr) {
        set_->certificates.Check(
            view_, [&](std::uint32_t number) { return set_->ordinals.NameOf(number, paths_); }, findings);
      }
      if (options_.profile != nullptr) {
        for (Finding& finding : CompareWithProfile(view_.tbs, *options_.profile, nullptr, der.data()).ToFindings()) {
          findings.Add(finding.rule, der.data() + finding.offset, std::move(finding.message));
        }
      }
    }
    Append(std::move(findings).Take(), result);
  }

  static void Append(std::vector<Finding> found, BulkItem& result) {
    if (result.findings.empty()) {
      result.findings = std::move(found);
    } else {
      result.findings.insert(result.findings.end(), found.begin(), found.end());
    }
  }

  Linter linter_;
  const BulkOptions& options_;
  const Set* set_;
  const std::vector<std::string>& paths_;
  CertificateView view_;
  CrlView crl_;
};

// Line passes batches from the reader to the judges and back in order.
class Line final {
 public:
  Line(const BulkOptions& options, const Set* set, const std::vector<std::string>& paths, BulkSink& sink)
      : options_(options), set_(set), paths_(paths), sink_(sink), judge_(options, set, paths) {
    if (options.jobs < 2) return;
    try {
      for (unsigned i = 0; i < options.jobs; ++i) helpers_.emplace_back([this] { Help(); });
    } catch (const std::system_error&) {
      // The machine gives no more threads: those that are there do the work, or the caller's own.
    }
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    work_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
  }

  void Put(std::unique_ptr<Batch> batch) {
    if (helpers_.empty()) {
      judge_.Run(*batch);
      Deliver(*batch);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      todo_.push_back(batch.get());
      order_.push_back(std::move(batch));
    }
    work_.notify_one();
    if (order_.size() >= kBatchesAJob * helpers_.size()) TakeOne();
  }
  void Drain() {
    while (!order_.empty()) TakeOne();
  }

 private:
  void Help() {
    Judge judge(options_, set_, paths_);
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [&] { return closed_ || !todo_.empty(); });
      if (todo_.empty()) return;
      Batch* batch = todo_.front();
      todo_.pop_front();
      lock.unlock();
      judge.Run(*batch);
      lock.lock();
      batch->done = true;
      done_.notify_one();
    }
  }

  // order_ belongs to the reading thread; only `done` of its batches is shared.
  void TakeOne() {
    {
      std::unique_lock lock(mutex_);
      done_.wait(lock, [&] { return order_.front()->done; });
    }
    Deliver(*order_.front());
    order_.pop_front();
  }

  void Deliver(const Batch& batch) {
    for (const BulkItem& result : batch.results) sink_.Item(result);
    if (batch.unreadable) sink_.Unreadable(batch.unreadable->first, batch.unreadable->second);
    items_ += batch.results.size();
    octets_ += batch.octets;
    sink_.Progress(items_, octets_);
  }

  const BulkOptions& options_;
  const Set* set_;
  const std::vector<std::string>& paths_;
  BulkSink& sink_;
  Judge judge_;
  std::uint64_t items_ = 0;
  std::uint64_t octets_ = 0;
  std::deque<std::unique_ptr<Batch>> order_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::deque<Batch*> todo_;
  bool closed_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace

base::Result<BulkOutcome> BulkLint(const std::vector<std::string>& paths, const BulkOptions& options, BulkSink& sink) {
  BulkInputs inputs(paths);
  if (options.set_rules != SetRules::kNever) KC_RETURN_IF_ERROR(inputs.KeepStandardInput());
  const std::unique_ptr<Set> set = CollectSet(inputs, options);
  BulkOutcome outcome;
  outcome.set_rules = set != nullptr;
  Line line(options, set.get(), paths, sink);
  auto batch = std::make_unique<Batch>();
  const auto send = [&] {
    if (batch->items.empty() && !batch->unreadable) return;
    line.Put(std::move(batch));
    batch = std::make_unique<Batch>();
  };
  inputs.ForEachItem(
      [&](std::uint32_t file, BundleItem item) {
        batch->octets += item.raw.size();
        batch->items.emplace_back(file, std::move(item));
        if (batch->full()) send();
        return !sink.Stop();
      },
      [&](std::uint32_t file, const base::Error& error) {
        batch->unreadable = {file, error};
        send();
      });
  send();
  line.Drain();
  return outcome;
}

}  // namespace ceremony::x509
