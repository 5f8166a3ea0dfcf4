/** One call of the API: closed a line, open its parameters, body, answers and, for reading calls, a try. */
import { Badge, Collapse, Paper, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronRight } from "@tabler/icons-react";

import classes from "./api-docs.module.css";
import { fieldsOf, typeName, type Field, type OpenApi, type Operation, type Schema } from "./openapi";
import { TryCall } from "./try-call";

const COLORS: Record<string, string> = { GET: "petrol", POST: "green", PUT: "yellow", PATCH: "yellow", DELETE: "red" };

export function OperationView({ document, operation }: { document: OpenApi; operation: Operation }) {
  const [opened, { toggle }] = useDisclosure(false);
  return (
    <Paper id={operation.id}>
      <UnstyledButton className={classes.line} onClick={toggle} aria-expanded={opened}>
        <Badge color={COLORS[operation.method] ?? "gray"} w={68} radius="sm" flex="none">
          {operation.method}
        </Badge>
        <span className={classes.path}>{operation.path}</span>
        <Text component="span" size="sm" c="dimmed" className={classes.summary}>
          <Prose text={operation.summary} />
        </Text>
        <IconChevronRight size={17} className={classes.chevron} data-opened={opened || undefined} aria-hidden />
      </UnstyledButton>
      <Collapse expanded={opened}>{opened && <Details document={document} operation={operation} />}</Collapse>
    </Paper>
  );
}

function Details({ document, operation }: { document: OpenApi; operation: Operation }) {
  const parameters: Field[] = operation.parameters.map((parameter) => ({
    name: parameter.name,
    depth: 0,
    type: `${typeName(document, parameter.schema ?? {})}, in ${parameter.in}`,
    required: parameter.required ?? false,
    description: parameter.description ?? "",
  }));
  return (
    <Stack p="md" pt={4} gap="lg">
      {operation.description !== "" && (
        <Text size="sm">
          <Prose text={operation.description} />
        </Text>
      )}
      {parameters.length > 0 && <Fields title="Parameters" fields={parameters} />}
      {operation.body !== null && <Body title={`Body (${operation.body.type})`} document={document} schema={operation.body.schema} />}
      {operation.answers.map((answer) => (
        <div key={answer.status}>
          <Title order={3} fz="sm" ff="text" fw={600}>
            {answer.status} {answer.description}
          </Title>
          {answer.schema !== null && <Body document={document} schema={answer.schema} />}
        </div>
      ))}
      {operation.method === "GET" && <TryCall operation={operation} />}
    </Stack>
  );
}

function Body({ title, document, schema }: { title?: string; document: OpenApi; schema: Schema }) {
  const fields = fieldsOf(document, schema);
  if (fields.length > 0) return <Fields {...(title === undefined ? {} : { title })} fields={fields} />;
  return (
    <Text size="sm" c="dimmed">
      {title === undefined ? "" : `${title}: `}
      {typeName(document, schema)}
    </Text>
  );
}

function Fields({ title, fields }: { title?: string; fields: Field[] }) {
  return (
    <div>
      {title !== undefined && (
        <Title order={3} fz="sm" ff="text" fw={600}>
          {title}
        </Title>
      )}
      <ul className={classes.fields}>
        {fields.map((field, index) => (
          <li key={`${index} ${field.name}`} style={{ paddingInlineStart: `${field.depth * 1.25}rem` }}>
            <code>{field.name}</code>
            <span className={classes.type}>
              {field.type}
              {field.required ? ", required" : ""}
            </span>
            {field.description !== "" && (
              <span className={classes.about}>
                <Prose text={field.description} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Words of the document; what stands between backticks is set as code. */
function Prose({ text }: { text: string }) {
  return text.split("`").map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>));
}
