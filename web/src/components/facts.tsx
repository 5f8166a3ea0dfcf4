/** What is known of one thing: names and values on a sheet of paper; what is empty is left out. */
import { Paper, Title } from "@mantine/core";

import classes from "./facts.module.css";

export type Fact = readonly [name: string, value: string];

export function Facts({ title, facts }: { title: string; facts: readonly Fact[] }) {
  return (
    <Paper p="lg" component="section" aria-label={title}>
      <Title order={2} fz="h3" mb="sm">
        {title}
      </Title>
      <dl className={classes.facts}>
        {facts.map(([name, value]) =>
          value === "" ? null : (
            <div key={name}>
              <dt>{name}</dt>
              {/* A name in Arabic or Hebrew keeps its own order and does not turn its neighbours around. */}
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ),
        )}
      </dl>
    </Paper>
  );
}
