"""``verify`` and ``doctor``: whether a run can be trusted, and what is wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_any_run, complete_run, json_option, runs_dir_option, to_look_at
from babysitter.cli.output import as_json, error_object, line, tell_error
from babysitter.errors import BabysitterError, InvalidInput, UsageError
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.folder import LATEST, find, name_of, packed_ids, run_ids
from babysitter.views.meter import Meter, events

if TYPE_CHECKING:
    from babysitter.approvals.signed_journal import Approval
    from babysitter.doctor.checks import Check
    from babysitter.journal.events import Event
    from babysitter.runs.verification import Verified


@click.command(
    epilog="""\b
Example:
  babysitter verify
  babysitter verify release-1-2-0 --json
  babysitter verify release-1-2-0 --proof 12-5b1f0c9d3e…
  babysitter verify --all
  babysitter verify release-1-2-0 --signers allowed_signers""",
)
@click.argument("runs", nargs=-1, metavar="[RUN]...", shell_complete=complete_any_run)
@click.option("--all", "every", is_flag=True, help="Every run of the folder.")
@click.option(
    "--signers", metavar="FILE", help="Check signed approvals too, by your file of allowed signers."
)
@click.option("--proof", metavar="TEXT", help="Check too that RUN has completed with the event named here.")
@runs_dir_option
@json_option
def verify(
    runs: tuple[str, ...],
    every: bool,
    signers: str | None,
    proof: str | None,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Check all of RUN that can be proven, from its files: each event, the chain, each file of values.

    Writes nothing. Exit code 5: it cannot be trusted, or TEXT is not the proof that it has completed;
    the first fault is named.
    """
    if every and runs:
        raise UsageError("verify takes runs by name or --all, not both")
    if proof is not None and (every or len(runs) > 1):
        raise UsageError("--proof is that of one run, and more are to be verified")
    if proof is not None:
        return _verify_proof(runs[0] if runs else LATEST, runs_dir, signers, proof, as_json)
    if signers is not None and not os.path.isfile(signers):
        raise InvalidInput(f"there is no file of allowed signers {signers!r}")
    folder = runs_folder(runs_dir)
    names = sorted({*run_ids(folder), *packed_ids(folder)}) if every else runs or (LATEST,)
    if len(names) == 1 and not every:
        return _tell_verified(*_verified(names[0], runs_dir, signers), as_json)
    return _verify_many(names, runs_dir, signers, as_json)


def _verify_proof(name: str, runs_dir: str | None, signers: str | None, text: str, wants_json: bool) -> int:
    from babysitter.runs.proof import check_proof, read_proof

    proof = read_proof(text)
    found, approvals = _verified(name, runs_dir, signers)
    check_proof(found.run, proof)
    return _tell_verified(found, approvals, wants_json)


def _verified(name: str, runs_dir: str | None, signers: str | None) -> tuple[Verified, list[Approval] | int]:
    """What was checked, and the signed answers; how many there are when they were not."""
    from babysitter.approvals.unchecked import SignedCount
    from babysitter.runs.child_proofs import ChildProofs
    from babysitter.runs.verification import verify as verify_run

    with to_look_at(name, runs_dir) as run, Meter(shown=events) as meter:
        meter.begin(f"verifying {run.run_id}")
        watching: list[Any] = [meter.step]
        children, signed = ChildProofs(), SignedCount()
        watching += [children.see, signed.see]
        approvals = None
        if signers is not None:
            from babysitter.approvals.signed_journal import SignedApprovals

            approvals = SignedApprovals(run)
            watching.append(approvals.see)

        def see(event: Event) -> None:
            for watch in watching:
                watch(event)

        found = verify_run(run, see)
        found.children = children.check(run)
        return found, signed.count if approvals is None or signers is None else approvals.check(signers)


def verified_json(found: Verified, approvals: list[Approval] | int = 0) -> dict[str, Any]:
    """What ``verify`` prints of a run that is whole."""
    signed: dict[str, Any] = {"uncheckedSignatures": approvals} if approvals else {}
    if isinstance(approvals, list):
        signed = {"approvals": [approval.as_json() for approval in approvals]}
    proof = found.run.proof
    return {
        "run": found.run.run_id,
        "status": found.run.state.status,
        "events": found.head.seq,
        "head": found.head.checksum,
        "files": found.files,
        **({"children": found.children} if found.children else {}),
        "cache": found.cache,
        **({"proof": proof} if proof else {}),
        **signed,
    }


def _tell_verified(found: Verified, approvals: list[Approval] | int, wants_json: bool) -> int:
    if wants_json:
        as_json(verified_json(found, approvals))
    else:
        for text in _verified_lines(found, approvals):
            line(text)
    return 0


def _verified_lines(found: Verified, approvals: list[Approval] | int) -> list[str]:
    told = verified_json(found)
    children = f", {found.children} children as recorded" if found.children else ""
    whole = f"whole; {told['events']} events, {told['files']} files{children}, head {told['head'][:12]}"
    if isinstance(approvals, int):
        return [f"{told['run']}: {whole}", *_unchecked(approvals, told["run"])]
    signed = [
        f"  signed   event {each.seq}: {each.signer} {'approved' if each.approved else 'rejected'} "
        f"{each.effect} with {each.fingerprint}"
        for each in approvals
    ]
    return [f"{told['run']}: {whole}", *signed]


def _unchecked(count: int, run: str) -> list[str]:
    """That nobody has looked at the signatures; nothing where there are none."""
    if not count:
        return []
    what = "1 signed answer was" if count == 1 else f"{count} signed answers were"
    how = f"by your file of allowed signers: babysitter verify {run} --signers FILE"
    return [f"  {what} not checked; {how}"]


def _verify_many(names: Any, runs_dir: str | None, signers: str | None, wants_json: bool) -> int:
    told, code = [], 0
    for name in names:
        try:
            found, approvals = _verified(name, runs_dir, signers)
        except BabysitterError as error:
            told.append({"run": name, "error": error_object(error)})
            code = max(code, error.exit_code)
            if not wants_json:
                tell_error(error, [])
        else:
            told.append(verified_json(found, approvals))
            for text in () if wants_json else _verified_lines(found, approvals):
                line(text)
    if wants_json:
        as_json({"runs": told})
    elif not told:
        line("no runs here")
    return code


@click.command(
    epilog="""\b
Example:
  babysitter doctor
  babysitter doctor release-1-2-0""",
)
@click.argument("run", required=False, metavar="[RUN]", shell_complete=complete_run)
@runs_dir_option
@json_option
def doctor(run: str | None, runs_dir: str | None, as_json: bool) -> int:
    """Look at RUN, or without it at the installation and all runs, and say what is wrong and what cures it.

    Writes nothing and waits for nobody. Each line is PASS, WARN (it works, but you should know) or FAIL.
    """
    from babysitter.doctor.checks import exit_code

    folder = runs_folder(runs_dir)
    parts = [_examined(find(run, folder))] if run else list(_everything(folder))
    if as_json:
        _tell_checks_json(parts)
    else:
        _tell_checks(parts, is_brief=run is None)
    return exit_code([check for _, checks in parts for check in checks])


Part = tuple[str, "list[Check]"]


def _examined(folder: str) -> Part:
    from babysitter.doctor.progress_checks import process, waiting
    from babysitter.doctor.run_checks import examine
    from babysitter.doctor.session_checks import session_of_run

    name = name_of(folder, runs_folder(None))
    with Meter(shown=events) as meter:
        meter.begin("reading")
        checks, run = examine(folder, name, meter.step)
    if run is not None:
        checks += [session_of_run(run, name), *waiting(run, name)]
        if not run.state.is_finished:
            checks.append(process(run, name))
    return folder, checks


def _everything(folder: str) -> Any:
    from babysitter.doctor.installation import examine as examine_installation
    from babysitter.doctor.run_checks import examine
    from babysitter.doctor.session_checks import sessions
    from babysitter.paths import project_dir
    from babysitter.version import version

    yield "", [*examine_installation(project_dir(), folder, version()), *sessions()]
    with Meter(shown=events) as meter:
        meter.begin("reading")
        for run_id in sorted(run_ids(folder)):
            path = os.path.join(folder, run_id)
            yield path, examine(path, name_of(path, runs_folder(None)), meter.step)[0]


def _tell_checks_json(parts: list[Part]) -> None:
    from babysitter.doctor.checks import worst

    told = [
        {**({"folder": folder} if folder else {}), "checks": [check.as_json() for check in checks]}
        for folder, checks in parts
    ]
    every = [check for _, checks in parts for check in checks]
    as_json(
        {"worst": worst(every), "installation": told[0]["checks"], "runs": told[1:]}
        if not parts[0][0]
        else {"worst": worst(every), **told[0]}
    )


def _tell_checks(parts: list[Part], *, is_brief: bool) -> None:
    from babysitter.doctor.checks import PASS

    whole = 0
    for folder, checks in parts:
        shown = [check for check in checks if check.level != PASS] if is_brief and folder else checks
        if folder and shown:
            line(f"run {folder}")
        for check in shown:
            line(f"  {check.level}  {check.name:<13} {check.message}")
            if check.cure:
                line(f"        {'':<13} -> {check.cure}")
        whole += not shown
    if whole:
        line(f"{whole} runs with nothing to say about; one in full: babysitter doctor RUN")


commands = {"verify": verify, "doctor": doctor}
