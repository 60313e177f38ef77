#include "ceremony/record/log_scan.h"

#include <array>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "ceremony/record/log_reader.h"
#include "ceremony/record/withheld.h"

namespace ceremony::record {
namespace {

using base::Error;
using base::Result;

// Types that say something about other entries; the sink reads those.
bool BindsOthers(EntryType type) {
  switch (type) {
    case EntryType::kOpen:
    case EntryType::kAttend:
    case EntryType::kDepart:
    case EntryType::kStep:
    case EntryType::kRequest:
    case EntryType::kCosign:
    case EntryType::kArtefact:
    case EntryType::kRefusal:
    case EntryType::kCheckpoint:
    case EntryType::kRecover:
    case EntryType::kClose:
      return true;
    default:
      return false;
  }
}

// What an observation says of which the sink judges; others are for people.
bool IsJudged(std::string_view what) {
  return what == "\"key-possession\"" || what == "\"share-asked-elsewhere\"" || what == "\"share-handed-over\"";
}

class BlockScan final {
 public:
  BlockScan(ScannedBlock& out, Scanner& scanner) : out_(out), scanner_(scanner) {}

  void Run() {
    out_.leaves.clear();
    out_.events.clear();
    out_.any_good = false;
    const char* p = out_.block.buffer.data();
    const char* const end = p + out_.block.size;
    const auto next_line = [&] {
      const auto* const newline = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
      const std::string_view line(p, static_cast<std::size_t>(newline - p));
      p = newline + 1;
      return line;
    };
    // Hash first, check after; two lines at a time, because that is faster.
    for (std::uint32_t index = 0; p != end;) {
      const std::string_view line = next_line();
      if (p == end) {
        out_.leaves.push_back(Leaf(line));
        CheckLine(line, index++);
        break;
      }
      const std::string_view second = next_line();
      out_.leaves.resize(index + 2u);
      TwoLeaves(line, second, out_.leaves[index], out_.leaves[index + 1u]);
      CheckLine(line, index++);
      CheckLine(second, index++);
    }
    if (out_.any_good) {
      out_.last_time.assign(time_);
      out_.last_mono = mono_;
      out_.last_base = base_;
    }
  }

 private:
  LineEvent& Add(LineEvent::Kind kind, std::uint32_t index) {
    LineEvent event;
    event.kind = kind;
    event.index = index;
    return out_.events.emplace_back(event);
  }

  // Remark adds an event that is only reported. A hostile block can hold one a
  // byte, and the first few of a kind say it all.
  void Remark(LineEvent event, std::uint32_t index) {
    constexpr std::uint32_t kMaxOfAKind = 64;
    if (++remarks_[static_cast<std::size_t>(event.kind)] > kMaxOfAKind) return;
    event.index = index;
    out_.events.push_back(event);
  }

  void CheckLine(std::string_view line, std::uint32_t index) {
    if (const std::optional<Hash> withheld = WithheldLeaf(line)) {
      out_.leaves[index] = *withheld;
      Add(LineEvent::Kind::kWithheld, index);
      return;
    }
    const LineFault fault = scanner_.ScanEntry(line);
    if (fault != LineFault::kNone) {
      Remark({.kind = LineEvent::Kind::kFault, .fault = fault, .offset = scanner_.fault_offset()}, index);
      return;
    }
    const EntryFields& fields = scanner_.fields();
    const std::uint64_t base = fields.seq - index;  // may wrap in a forged line; only compared
    if (!out_.any_good) {
      out_.any_good = true;
      out_.first_good = index;
      out_.first_base = base_ = base;
      out_.first_mode = fields.mode;
      out_.first_time.assign(fields.time);
      out_.first_mono = fields.mono;
    } else {
      if (base != base_) Remark({.kind = LineEvent::Kind::kSequence, .number = fields.seq}, index);
      if (fields.mode != out_.first_mode) Remark({.kind = LineEvent::Kind::kMode}, index);
      if (fields.time < time_ || fields.mono < mono_) Remark({.kind = LineEvent::Kind::kClock}, index);
    }
    base_ = base;
    time_ = fields.time;
    mono_ = fields.mono;

    if (!scanner_.incomplete_field().empty()) {
      Remark({.kind = LineEvent::Kind::kIncomplete, .text = scanner_.incomplete_field()}, index);
    }
    if (fields.type == EntryType::kIntent || fields.type == EntryType::kDone) {
      const std::optional<std::int64_t> call = DecodeInteger(scanner_.Find("call"));
      LineEvent& event =
          Add(fields.type == EntryType::kIntent ? LineEvent::Kind::kIntent : LineEvent::Kind::kDone, index);
      // A call number that is missing or negative becomes one that no intent can have.
      event.number = call && *call >= 0 ? static_cast<std::uint64_t>(*call) : UINT64_MAX;
      event.text = scanner_.Find("fn");
      event.token = scanner_.Find("token");
      event.line = line;
    } else if (BindsOthers(fields.type) || (fields.type == EntryType::kObserve && IsJudged(scanner_.Find("what")))) {
      LineEvent& event = Add(LineEvent::Kind::kEntry, index);
      event.type = fields.type;
      event.line = line;
    }
  }

  ScannedBlock& out_;
  Scanner& scanner_;
  std::array<std::uint32_t, 9> remarks_{};
  std::uint64_t base_ = 0;
  std::string_view time_;
  std::uint64_t mono_ = 0;
};

// Crew is the threads of one scan. Whoever finishes a block and finds the sink
// idle feeds it every block that is due, while the others go on scanning.
class Crew final {
 public:
  Crew(LogReader& reader, BlockSink& sink, std::size_t blocks) : reader_(reader), sink_(sink) {
    for (std::size_t i = 0; i < blocks; ++i) free_.push_back(std::make_unique<ScannedBlock>());
  }

  void Work() {
    Scanner scanner;
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ended_ || !free_.empty(); });
      if (ended_) return;
      std::unique_ptr<ScannedBlock> scanned = std::move(free_.back());
      free_.pop_back();
      const Result<bool> more = reader_.Next(scanned->block);
      if (!more.ok()) failure_ = more.error();
      if (!more.ok() || !*more) {
        ended_ = true;
        changed_.notify_all();
        return;
      }
      lock.unlock();
      BlockScan(*scanned, scanner).Run();
      lock.lock();
      ready_.emplace(scanned->block.number, std::move(scanned));
      Feed(lock);
    }
  }

  const std::optional<Error>& failure() const { return failure_; }

 private:
  void Feed(std::unique_lock<std::mutex>& lock) {
    if (feeding_) return;
    feeding_ = true;
    while (!ready_.empty() && ready_.begin()->first == next_) {
      std::unique_ptr<ScannedBlock> scanned = std::move(ready_.begin()->second);
      ready_.erase(ready_.begin());
      lock.unlock();
      sink_.Take(*scanned);
      lock.lock();
      ++next_;
      free_.push_back(std::move(scanned));
      changed_.notify_one();
    }
    feeding_ = false;
  }

  LogReader& reader_;
  BlockSink& sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ScannedBlock>> free_;
  std::map<std::uint64_t, std::unique_ptr<ScannedBlock>> ready_;
  std::uint64_t next_ = 0;
  bool feeding_ = false;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace

Result<void> ScanLog(LogReader& reader, unsigned threads, BlockSink& sink) {
  // Two blocks a thread and two more: one to work on while its last one waits
  // for a slower neighbour. A single thread feeds what it has just scanned.
  Crew crew(reader, sink, threads == 1 ? 1 : 2 * static_cast<std::size_t>(threads) + 2);
  std::vector<std::thread> helpers;
  try {
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([&crew] { crew.Work(); });
  } catch (const std::system_error&) {
    // The machine gives no more threads: those that are there do the work.
  }
  crew.Work();
  for (std::thread& helper : helpers) helper.join();
  if (crew.failure()) return *crew.failure();
  return {};
}

}  // namespace ceremony::record
