"""`leaflet-tool configs`: the definitions."""

from pathlib import Path

import click

from leaflet_tool.cli import options
from leaflet_tool.cli.console import Console


@click.group(invoke_without_command=True)
@click.pass_context
def configs(ctx: click.Context) -> None:
    """List the model definitions, or show or check one."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@configs.command("list")
@click.pass_obj
def list_(console: Console) -> None:
    """List the definitions with a line each."""
    from leaflet_tool.models.definitions import find, names

    found = [find(name) for name in names()]
    value = [{"name": each.name, "description": each.description, "needs": each.needs} for each in found]
    console.table({"configs": value}, ["name", "description"], [[each.name, each.description] for each in found])


@configs.command()
@click.argument("name")
@options.data
@options.overrides
@click.pass_obj
def show(console: Console, name: str, data: Path | None, overrides: tuple[str, ...]) -> None:
    """Print a definition; with --data as Ludwig gets it, its slots filled."""
    from leaflet_tool.manifest import read_prepared
    from leaflet_tool.models.definitions import dump, find, override
    from leaflet_tool.models.training import Request, filled_for

    definition, request = find(name), Request(name="", overrides=overrides)
    content = filled_for(definition, read_prepared(data), request) if data else override(definition.content, overrides)
    console.result(content, dump(content, definition.description).rstrip())


@configs.command()
@click.argument("name")
@options.data
@options.overrides
@click.option("--offline", is_flag=True, help="Report weights that would have to be downloaded.")
@click.pass_obj
def check(console: Console, name: str, data: Path | None, overrides: tuple[str, ...], offline: bool) -> None:
    """Report every problem of a definition, and with --data of its fit to the data, before anything is trained."""
    from leaflet_tool.manifest import read_prepared
    from leaflet_tool.models import training
    from leaflet_tool.models.definitions import find

    request = training.Request(name="", overrides=overrides, offline=offline)
    training.checked(find(name), read_prepared(data) if data else None, request, outcome=f"{name} cannot be trained")
    console.result({"config": name, "problems": []}, f"{name}: no problem found")
