#include "ceremony/report/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include "ceremony/report/json_text.h"
#include "ceremony/room/text.h"
#include "hsm/base/counted.h"

namespace ceremony::report {
namespace {

constexpr std::size_t kIndent = 6;  // below a step's number
constexpr std::size_t kTimeOfDay = 8;

std::string Shown(std::string_view text) { return room::Visible(text, room::Charset::kUtf8); }

// "2026-11-28T23:55:01.683502Z" is told as "23:55:01"; the day stands at the top.
std::string Hour(const std::string& time) {
  const std::size_t from = time.find('T');
  return from == std::string::npos ? Shown(time) : Shown(time.substr(from + 1, kTimeOfDay));
}

std::string At(const Moment& moment) { return fmt::format("{} [{}]", Hour(moment.time), moment.entry); }

class Walker final {
 public:
  Walker(const ReportData& data, const WalkFilter& filter, std::size_t width)
      : data_(data), filter_(filter), width_(std::max<std::size_t>(width, 40)) {}

  std::string Tell() {
    Head();
    if (filter_.step.empty() && !filter_.exceptions) People();
    Steps();
    Remarks();
    if (filter_.step.empty() && filter_.person.empty() && !filter_.exceptions) Results();
    return std::move(out_);
  }

 private:
  void Line(std::size_t indent, std::string_view text) {
    for (const std::string& line : room::WrapText(text, width_ - indent))
      out_ += line.empty() ? "\n" : std::string(indent, ' ') + line + '\n';
  }
  void Heading(std::string_view text) {
    out_ += '\n';
    Line(0, text);
  }

  void Head() {
    Line(0,
         fmt::format("{}: {} ({})", record::VerdictName(data_.verdict.verdict), Shown(data_.title), Shown(data_.mode)));
    Line(2, Shown(data_.purpose));
    Line(2, "origin " + Shown(data_.origin));
    Line(2, fmt::format("{}, {} to {} UTC{}", base::Counted(data_.entries, "entry", "entries"),
                        Shown(data_.began.time.substr(0, 19)), Hour(data_.ended.time),
                        data_.closed ? ", closed" : ", NOT CLOSED"));
    if (data_.unreadable > 0)
      Line(2,
           base::Counted(data_.unreadable, "line of the log could not be read", "lines of the log could not be read"));
    if (data_.cut_short)
      Line(2, "the log goes on with a line that is too long for an entry: nothing after it was read");
    for (const record::Finding& finding : data_.verdict.findings)
      Line(2, fmt::format("{}: {}", finding.rule, Shown(finding.message)));
  }

  bool Concerns(const std::string& person) const { return filter_.person.empty() || filter_.person == person; }

  void People() {
    Heading("In the room");
    for (const PersonSeen& person : data_.people) {
      if (!Concerns(person.id)) continue;
      std::vector<std::string> about;
      for (const std::string& role : person.roles) about.push_back(Shown(Spoken(role, '-')));
      if (!person.employer.empty()) about.push_back(Shown(person.employer));
      Line(2, fmt::format("{}{}{}", Shown(data_.NameOf(person.id)),
                          about.empty() ? "" : fmt::format(" ({})", fmt::join(about, ", ")),
                          person.simulated ? ", simulated" : ""));
      if (!person.apology.empty()) Line(4, "sent an apology: " + Shown(person.apology));
      for (const Stay& stay : person.stays) {
        Line(4, fmt::format("{}{} from {} to {}{}", Shown(Spoken(stay.presence, '-')),
                            stay.hours.empty() ? "" : Shown(" (" + stay.hours + ")"), At(stay.from),
                            stay.until.known() ? At(stay.until) : "the end",
                            stay.reason.empty() ? "" : ": " + Shown(stay.reason)));
      }
      // Whom one asks for is told in full.
      if (!filter_.person.empty()) Shares(person.id);
    }
    if (filter_.person.empty() && data_.ledger.rows.empty() && !data_.absent.empty())
      Line(2, "of the roster, not there: " + Shown(fmt::format("{}", fmt::join(data_.absent, ", "))));
  }

  void Shares(const std::string& person) {
    for (const HandOver& set : data_.hand_overs) {
      for (const ShareHolder& holder : set.holders) {
        if (holder.person == person && holder.confirmed.known())
          Line(4,
               fmt::format("opened and confirmed a new share of token {} {}", Shown(set.token), At(holder.confirmed)));
      }
    }
    for (const Login& login : data_.logins) {
      if (std::find(login.people.begin(), login.people.end(), person) != login.people.end())
        Line(4, fmt::format("gave a share of the {} PIN of token {} {}", Shown(Spoken(login.pin, '-')),
                            Shown(login.token), At(login.at)));
    }
  }

  static bool WentAsPlanned(const StepStory& step) {
    return step.planned && step.attempts.size() == 1 && step.attempts.front().outcome == "ended";
  }

  bool IsTold(const StepStory& step) const {
    if (!filter_.step.empty()) return step.id == filter_.step;
    if (filter_.exceptions) return !WentAsPlanned(step);
    if (filter_.person.empty()) return true;
    return std::any_of(data_.approvals.begin(), data_.approvals.end(), [&](const Approval& approval) {
      return approval.step == step.id && HasSigned(approval, filter_.person);
    });
  }

  static bool HasSigned(const Approval& approval, const std::string& person) {
    return std::any_of(approval.signatures.begin(), approval.signatures.end(),
                       [&](const Signature& signature) { return signature.person == person; });
  }

  void Steps() {
    std::string section;
    if (filter_.step.empty() && !filter_.exceptions) Approvals("opening", 2);
    for (const StepStory& step : data_.steps) {
      if (!IsTold(step)) continue;
      if (step.section != section) {
        section = step.section;
        const auto found = std::find_if(data_.sections.begin(), data_.sections.end(),
                                        [&](const SectionStory& each) { return each.id == section; });
        Heading(Shown(found == data_.sections.end() ? section : found->title));
        Approvals("section:" + section, 2);
      }
      Tell(step);
    }
  }

  void Tell(const StepStory& step) {
    const std::string number = step.number == 0 ? "-" : std::to_string(step.number);
    std::string lead = fmt::format("{:>4}  ", number);
    for (const std::string& line : room::WrapText(Shown(step.title.empty() ? step.id : step.title), width_ - kIndent)) {
      out_ += lead + line + '\n';
      lead.assign(kIndent, ' ');
    }
    Line(kIndent, fmt::format("{} ({}){}", Shown(step.id), Shown(step.kind),
                              step.attempts.empty() ? ": " + step.Outcome() : std::string()));
    for (std::size_t i = 0; i < std::max<std::size_t>(step.attempts.size(), 1); ++i) {
      if (i < step.attempts.size()) Tell(step.attempts[i]);
      const auto belongs = [&](std::uint64_t entry) { return step.Belongs(entry, i); };
      Approvals(step.id, kIndent, belongs);
      for (const Observed& seen : step.observed) {
        if (belongs(seen.entry)) Tell(seen);
      }
      for (const auto& [artefact, entry] : step.artefacts) {
        if (belongs(entry)) Line(kIndent, "wrote " + Shown(artefact));
      }
    }
    for (const std::string& effect : step.effects) Line(kIndent, "so " + Shown(effect));
  }

  void Tell(const Attempt& attempt) {
    Line(kIndent, fmt::format("{} {} to {}, {}", attempt.outcome, At(attempt.begin),
                              attempt.end.known() ? At(attempt.end) : "no end",
                              base::Counted(attempt.calls, "PKCS#11 call", "PKCS#11 calls")));
    if (!attempt.error.empty())
      Line(kIndent + 2,
           fmt::format("{}{}{}", Shown(attempt.rule), attempt.rule.empty() ? "" : ": ", Shown(attempt.error)));
  }

  // What was observed together stands together, under its name.
  void Tell(const Observed& seen) {
    if (!seen.person.empty()) {
      std::string said = Shown(data_.NameOf(seen.person));
      for (const auto& [name, value] : seen.facts) said += fmt::format(" {} \"{}\"", name, Shown(value));
      return Line(kIndent, said);
    }
    std::string told;
    for (const auto& [name, value] : seen.facts)
      told += fmt::format("{}{}: {}", told.empty() ? "" : "; ", Shown(Spoken(name, '_')), Shown(value));
    if (!seen.what.empty()) Line(kIndent, Shown(seen.what));
    if (!told.empty()) Line(seen.what.empty() ? kIndent : kIndent + 2, told);
  }

  void Approvals(
      const std::string& step, std::size_t indent,
      const std::function<bool(std::uint64_t)>& belongs = [](std::uint64_t) { return true; }) {
    for (const Approval& approval : data_.approvals) {
      if (approval.step != step || !belongs(approval.at.entry)) continue;
      if (!filter_.person.empty() && !HasSigned(approval, filter_.person)) continue;
      Line(indent, fmt::format("asked {} of {} {} {}: {}", approval.m, approval.n, Shown(approval.quorum),
                               At(approval.at), Shown(approval.statement)));
      for (const Signature& signature : approval.signatures) {
        if (Concerns(signature.person))
          Line(indent + 2, fmt::format("approved by {} {}", Shown(data_.NameOf(signature.person)), At(signature.at)));
      }
      if (!approval.ended_by.empty()) {
        Line(indent + 2,
             fmt::format("ended by {}{}{}", Shown(approval.ended_by), approval.ended_person.empty() ? "" : ", ",
                         Shown(data_.NameOf(approval.ended_person))));
      } else if (!approval.Met()) {
        Line(indent + 2, fmt::format("not met: {} of {} have approved", approval.People(), approval.m));
      }
    }
  }

  void Remarks() {
    bool first = true;
    for (const Remark& remark : data_.remarks) {
      if (!filter_.step.empty() && remark.step != filter_.step) continue;
      if (!filter_.person.empty() && remark.person != filter_.person) continue;
      if (first) Heading("Refusals, deviations and notes");
      first = false;
      Line(2, fmt::format(
                  "{} {}{}{}{}", remark.in_addendum ? Hour(remark.at.time) : At(remark.at), remark.Name(),
                  remark.rule.empty() ? "" : " ", Shown(remark.rule),
                  remark.step.empty() ? "" : (remark.in_addendum ? " in the " : " in step ") + Shown(remark.step)));
      Line(4, Shown(remark.text));
    }
    if (first && filter_.exceptions) {
      Heading("Refusals, deviations and notes");
      Line(2, "none");
    }
  }

  void Results() {
    if (!data_.keys.empty()) Heading("Keys");
    for (const KeyStory& key : data_.keys) {
      Line(2, fmt::format("{} ({}){}", Shown(key.name), Shown(key.algorithm), key.here_before ? ", from before" : ""));
      Line(4, "public key " + Shown(key.spki_sha256));
      for (const KeyEvent& event : key.events)
        Line(4, fmt::format("{} {}{}", At(event.at), Shown(Spoken(event.what, '-')),
                            event.token.empty() ? "" : " on " + Shown(event.token)));
    }
    if (!data_.issued.empty()) Heading("Certificates and lists");
    for (const IssuedThing& issued : data_.issued) {
      Line(2, fmt::format("{} {} {}", Shown(issued.what), Shown(issued.name), At(issued.at)));
      Line(4, Shown(issued.subject));
      Line(4, "SHA-256 " + Shown(issued.sha256));
    }
  }

  const ReportData& data_;
  const WalkFilter& filter_;
  std::size_t width_;
  std::string out_;
};

}  // namespace

std::string Walk(const ReportData& data, const WalkFilter& filter, std::size_t width) {
  return Walker(data, filter, width).Tell();
}

}  // namespace ceremony::report
